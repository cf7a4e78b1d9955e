package dev.troupe.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps a number of a mix's rounds under way for some time, and measures them. */
final class Round {

  private static final Duration STUCK = Duration.ofSeconds(60);
  private static final int MOST_SAMPLES = 1 << 21;

  /** Ticks of {@code /proc/PID/stat}: Linux says 100 a second to all programs. */
  private static final double TICK_MILLIS = 10;

  /**
   * What a round came to.
   *
   * @param serverMillis processor time of the server, for each
   * @param loadMillis processor time of this process, for each
   */
  record Measured(double rate, double p50, double p99, double serverMillis, double loadMillis) {

    String json() {
      return "{\"rate\":%.1f,\"p50\":%.3f,\"p99\":%.3f,\"server\":%.4f,\"load\":%.4f}"
          .formatted(rate, p50, p99, serverMillis, loadMillis);
    }
  }

  private final Mix mix;
  private final Semaphore window;
  private final int inFlight;
  private final int[] micros = new int[MOST_SAMPLES];
  private final AtomicInteger finished = new AtomicInteger();
  private int begun;

  private Round(Mix mix, int inFlight) {
    this.mix = mix;
    this.inFlight = inFlight;
    this.window = new Semaphore(inFlight);
  }

  /** Runs the mix, first to warm up, then to be measured. */
  static Measured run(Mix mix, int inFlight, Duration warmUp, Duration time, long serverPid)
      throws InterruptedException {
    Round round = new Round(mix, inFlight);
    round.load(warmUp);
    int before = round.finished.get();
    double server = cpuMillis(serverPid);
    double load = cpuMillis(ProcessHandle.current().pid());
    long start = System.nanoTime();
    round.load(time);
    double seconds = (System.nanoTime() - start) / 1e9;
    int after = round.finished.get();
    int count = after - before;
    server = cpuMillis(serverPid) - server;
    load = cpuMillis(ProcessHandle.current().pid()) - load;
    round.drain();
    int[] sorted = Arrays.copyOfRange(round.micros, before, after);
    Arrays.sort(sorted);
    return new Measured(
        count / seconds,
        sorted[count / 2] / 1e3,
        sorted[count * 99 / 100] / 1e3,
        server / count,
        load / count);
  }

  private void load(Duration time) throws InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      if (!window.tryAcquire(STUCK.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException("nothing ended for " + STUCK);
      }
      long began = System.nanoTime();
      mix.begin(begun++, () -> ended(began));
    }
  }

  private void ended(long began) {
    micros[finished.getAndIncrement()] = (int) ((System.nanoTime() - began) / 1_000);
    window.release();
  }

  private void drain() throws InterruptedException {
    if (!window.tryAcquire(inFlight, STUCK.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException("what was under way did not end in " + STUCK);
    }
    window.release(inFlight);
  }

  private static double cpuMillis(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", 14);
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_MILLIS;
    } catch (IOException gone) {
      throw new UncheckedIOException(gone);
    }
  }
}
