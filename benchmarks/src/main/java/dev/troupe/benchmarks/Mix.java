package dev.troupe.benchmarks;

/** What is repeated and counted: a fixed set of RPCs on the doors of a server. */
@FunctionalInterface
interface Mix {

  /** Begins one round of it, the {@code number}th; {@code done} runs at its end. */
  void begin(int number, Runnable done);
}
