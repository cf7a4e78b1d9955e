package dev.troupe.actors.function;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every accepted input ends with one visible result, whatever fails. {@code -Dsimulation.seeds=N}
 * runs more seeds, {@code -Dsimulation.first=S} from another one on.
 */
class FunctionSimulationTest {

  /** Seeds that found a bug once. */
  private static final long[] REGRESSIONS = {};

  static LongStream seeds() {
    long first = Long.getLong("simulation.first", 1);
    long count = Long.getLong("simulation.seeds", 40);
    return LongStream.concat(LongStream.of(REGRESSIONS), LongStream.range(first, first + count));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void everyAcceptedInputEndsWithOneVisibleResult(long seed) {
    Simulation simulation = new Simulation(seed).run();

    assertThat(simulation.violations).as("seed %d", seed).isEmpty();
  }
}
