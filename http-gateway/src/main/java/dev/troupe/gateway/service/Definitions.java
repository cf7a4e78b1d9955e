package dev.troupe.gateway.service;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionDefinition.Concurrency;
import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.function.FunctionDefinition.Retries;
import dev.troupe.actors.function.FunctionDefinition.Scaling;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MountId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.modal.AutoscalerSettings;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionRetryPolicy;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads what a client defines into the fields that are acted on, with the client's defaults. */
final class Definitions {

  private static final int DEFAULT_CPU_MILLIS = 125;
  private static final long MEBIBYTE = 1L << 20;
  private static final long DEFAULT_MEMORY_BYTES = 128 * MEBIBYTE;

  /** MiB; more than 3 TiB is taken for a slip. */
  private static final long LEAST_DISK = 16;

  private static final long MOST_DISK = 3L << 20;

  private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(5);
  private static final Duration DEFAULT_SCALEDOWN_WINDOW = Duration.ofMinutes(1);

  /** What "no limit" means: more containers than any function can use. */
  private static final int MAX_CONTAINERS = 1_000;

  private static final Duration DEFAULT_RETRY_DELAY = Duration.ofSeconds(1);
  private static final Duration DEFAULT_MAX_RETRY_DELAY = Duration.ofMinutes(1);

  private Definitions() {}

  /**
   * Where a definition comes from.
   *
   * @param base for a variant, the function it is bound from; null for a function itself
   * @param serializedParams for a variant, the parameters it is bound to; empty otherwise
   * @param builderVersion builder version of its image
   */
  record Origin(
      FunctionId function,
      AppId app,
      String appName,
      String environment,
      @Nullable FunctionId base,
      byte[] serializedParams,
      String clientVersion,
      String builderVersion) {}

  /** The definition of a function whose own bytes are content {@code sha256Hex}. */
  static FunctionDefinition read(Origin origin, RankedFunction ranked, String sha256Hex) {
    Function function = ranked.function();
    String definitionId = ranked.definitionId(origin.clientVersion(), origin.builderVersion());
    return new FunctionDefinition(
        origin.function(),
        origin.app(),
        origin.appName(),
        origin.environment(),
        function.getFunctionName(),
        definitionId,
        sha256Hex,
        Handles.of(origin, function, definitionId).toByteArray(),
        origin.base(),
        origin.serializedParams(),
        function.getImageId().isEmpty() ? null : new ImageId(function.getImageId()),
        function.getMountIdsList().stream().map(MountId::new).distinct().toList(),
        function.getSecretIdsList().stream().map(SecretId::new).toList(),
        resources(function.getResources(), ranked.gpus()),
        scaling(function, origin.base() != null),
        concurrency(function),
        retries(function),
        seconds(function.getTimeoutSecs(), DEFAULT_TIMEOUT),
        seconds(function.getStartupTimeoutSecs(), DEFAULT_TIMEOUT),
        function.getSingleUseContainers() || function.getMaxInputs() == 1,
        function.getBlockNetwork(),
        origin.clientVersion(),
        origin.builderVersion());
  }

  private static Resources resources(dev.troupe.protocol.modal.Resources wish, List<Gpu> gpus) {
    int cpu = wish.getMilliCpu() == 0 ? DEFAULT_CPU_MILLIS : wish.getMilliCpu();
    long memory =
        wish.getMemoryMb() == 0
            ? DEFAULT_MEMORY_BYTES
            : Integer.toUnsignedLong(wish.getMemoryMb()) * MEBIBYTE;
    return new Resources(
        cpu,
        wish.getMilliCpuMax(),
        memory,
        Integer.toUnsignedLong(wish.getMemoryMbMax()) * MEBIBYTE,
        disk(Integer.toUnsignedLong(wish.getEphemeralDiskMb())),
        gpus);
  }

  private static long disk(long mebibytes) {
    if (mebibytes != 0 && (mebibytes < LEAST_DISK || mebibytes > MOST_DISK)) {
      throw RpcFailure.invalid(
          "ephemeral_disk=%d: a container's disk has between %d and %d MiB."
              .formatted(mebibytes, LEAST_DISK, MOST_DISK));
    }
    return mebibytes * MEBIBYTE;
  }

  /**
   * How a function scales. The minimum of a class with parameters belongs to no one: which
   * parameters its containers should have is not known, so neither the class nor a variant keeps
   * it.
   */
  private static Scaling scaling(Function function, boolean variant) {
    AutoscalerSettings settings = function.getAutoscalerSettings();
    int least =
        settings.hasMinContainers() ? settings.getMinContainers() : function.getWarmPoolSize();
    int most =
        settings.hasMaxContainers() ? settings.getMaxContainers() : function.getConcurrencyLimit();
    int buffer =
        settings.hasBufferContainers()
            ? settings.getBufferContainers()
            : function.getExperimentalBufferContainers();
    int window =
        settings.hasScaledownWindow()
            ? settings.getScaledownWindow()
            : function.getTaskIdleTimeoutSecs();
    boolean parametrized = variant || function.getClassParameterInfo().getSchemaCount() > 0;
    int max = most == 0 ? MAX_CONTAINERS : Math.min(most, MAX_CONTAINERS);
    return new Scaling(
        parametrized ? 0 : Math.min(least, max),
        max,
        Math.min(buffer, max),
        seconds(window, DEFAULT_SCALEDOWN_WINDOW));
  }

  private static Concurrency concurrency(Function function) {
    int max = Math.max(1, function.getMaxConcurrentInputs());
    int target = function.getTargetConcurrentInputs();
    return new Concurrency(
        target == 0 ? max : Math.min(target, max),
        max,
        function.getBatchMaxSize(),
        Duration.ofMillis(function.getBatchLingerMs()));
  }

  private static Retries retries(Function function) {
    FunctionRetryPolicy policy = function.getRetryPolicy();
    return new Retries(
        policy.getRetries(),
        millis(policy.getInitialDelayMs(), DEFAULT_RETRY_DELAY),
        policy.getBackoffCoefficient() == 0 ? 1 : policy.getBackoffCoefficient(),
        millis(policy.getMaxDelayMs(), DEFAULT_MAX_RETRY_DELAY));
  }

  private static Duration seconds(int seconds, Duration whenUnset) {
    return seconds == 0 ? whenUnset : Duration.ofSeconds(Integer.toUnsignedLong(seconds));
  }

  private static Duration millis(int millis, Duration whenUnset) {
    return millis == 0 ? whenUnset : Duration.ofMillis(Integer.toUnsignedLong(millis));
  }
}
