package dev.troupe.actors.testing;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionDefinition.Concurrency;
import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.function.FunctionDefinition.Retries;
import dev.troupe.actors.function.FunctionDefinition.Scaling;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import java.time.Duration;
import java.util.List;

/** Definitions of functions, for tests that need one but not a particular one. */
public final class Definitions {

  /** A function without an image that wants {@code resources} for each container. */
  public static FunctionDefinition of(FunctionId function, Resources resources) {
    return new FunctionDefinition(
        function,
        new AppId("ap-0000000000000000000001"),
        "app",
        "main",
        "f",
        "def-1",
        "0".repeat(64),
        new byte[0],
        null,
        new byte[0],
        null,
        List.of(),
        List.of(),
        resources,
        new Scaling(0, 100, 0, Duration.ofSeconds(60)),
        new Concurrency(1, 1, 0, Duration.ZERO),
        new Retries(0, Duration.ofSeconds(1), 1, Duration.ofSeconds(60)),
        Duration.ofMinutes(5),
        Duration.ofMinutes(5),
        false,
        false,
        "1.6.4",
        "2025.06");
  }

  /** Resources without limits. */
  public static Resources resources(int cpuMillis, long memoryBytes, Gpu... gpus) {
    return new Resources(cpuMillis, 0, memoryBytes, 0, 0, List.of(gpus));
  }

  private Definitions() {}
}
