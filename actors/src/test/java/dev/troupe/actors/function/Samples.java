package dev.troupe.actors.function;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.CallRow.Kind;
import dev.troupe.actors.function.FunctionDefinition.Concurrency;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.function.FunctionDefinition.Retries;
import dev.troupe.actors.function.FunctionDefinition.Scaling;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Functions, calls and inputs for tests. */
final class Samples {

  static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  static final AppId APP = new AppId("ap-" + Ids.contentKey("app"));
  static final MachineId M = new MachineId("mc-" + Ids.contentKey("machine 1"));
  static final MachineId N = new MachineId("mc-" + Ids.contentKey("machine 2"));
  static final Retries NO_RETRIES = new Retries(0, Duration.ZERO, 1, Duration.ZERO);

  static FunctionId function(String name) {
    return new FunctionId(FunctionId.PREFIX + Ids.contentKey("function", name));
  }

  static CallId call(FunctionId function, String name) {
    return CallId.of(function, Ids.contentKey("call", name));
  }

  static TaskId task(String name) {
    return Ids.task(Ids.contentKey("task", name).getBytes(UTF_8));
  }

  /** A machine that is there, with nothing on it. */
  static MachineAdvert advert(MachineId machine) {
    Capacity all = new Capacity(8_000, 16L << 30, List.of());
    return new MachineAdvert(machine, 1, true, all, all, List.of(), Map.of());
  }

  static Payload payload(String text) {
    return Payload.of(text.getBytes(UTF_8), null);
  }

  static CallRow unary(CallId call, Invocation invocation) {
    return new CallRow(call, Kind.UNARY, invocation, 1, false, T0);
  }

  static CallRow map(CallId call, Invocation invocation) {
    return new CallRow(call, Kind.MAP, invocation, -1, false, T0);
  }

  static NewInput input(int index) {
    return new NewInput(index, "", payload("input " + index));
  }

  static List<NewInput> inputs(int first, int last) {
    return IntStream.rangeClosed(first, last).mapToObj(Samples::input).toList();
  }

  static FunctionDefinition definition(FunctionId function) {
    return new Definition(function).make();
  }

  /** A definition to be, which differs from the plain one where it is told to. */
  static final class Definition {
    private final FunctionId function;
    private String version = "1";
    private Scaling scaling = new Scaling(0, 10, 0, Duration.ofMinutes(1));
    private Concurrency concurrency = new Concurrency(1, 1, 0, Duration.ZERO);
    private Retries retries = NO_RETRIES;
    private Resources resources = new Resources(125, 0, 128L << 20, 256L << 20, 0, List.of());
    private Duration timeout = Duration.ofMinutes(5);
    private boolean singleUse;

    Definition(FunctionId function) {
      this.function = function;
    }

    Definition version(String newVersion) {
      version = newVersion;
      return this;
    }

    Definition containers(int min, int max, int buffer) {
      scaling = new Scaling(min, max, buffer, scaling.scaledownWindow());
      return this;
    }

    Definition slots(int slots) {
      concurrency = new Concurrency(slots, slots, 0, Duration.ZERO);
      return this;
    }

    Definition retries(int max, Duration delay) {
      retries = new Retries(max, delay, 2, Duration.ofMinutes(1));
      return this;
    }

    Definition gpus(FunctionDefinition.Gpu... gpus) {
      resources = new Resources(125, 0, 128L << 20, 256L << 20, 0, List.of(gpus));
      return this;
    }

    Definition timeout(Duration newTimeout) {
      timeout = newTimeout;
      return this;
    }

    Definition singleUse() {
      singleUse = true;
      return this;
    }

    FunctionDefinition make() {
      return new FunctionDefinition(
          function,
          APP,
          "my-app",
          "main",
          "f",
          "de-" + Ids.contentKey(function.value(), version),
          "0".repeat(64),
          new byte[] {1, 2, 3},
          null,
          new byte[0],
          new ImageId("im-" + Ids.contentKey("image")),
          List.of(),
          List.of(),
          resources,
          scaling,
          concurrency,
          retries,
          timeout,
          Duration.ofMinutes(2),
          singleUse,
          false,
          "1.6.4",
          "2025.06");
    }
  }

  private Samples() {}
}
