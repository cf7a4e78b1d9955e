package dev.troupe.actors.function;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MountId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a function is: the fields Troupe acts on. Everything else that the client sent is kept as
 * the bytes it sent, as content named by {@code definitionSha256}, and given back from there.
 *
 * @param name the tag it has in its app; a class's service function is {@code Name.*}
 * @param definitionId changes when what the client defined changes, and only then
 * @param definitionSha256 content holding the serialized {@code Function} message, whole
 * @param handleMetadata the serialized {@code FunctionHandleMetadata} that clients are given
 * @param baseFunction for a variant, the function it was bound from; null for a function itself
 * @param serializedParams for a variant, the parameters it is bound to; empty otherwise
 * @param clientVersion version of the client that defined it: its runner is the one used
 * @param builderVersion builder version of its image, which pins the runner's own dependencies
 * @param timeout how long one input may run
 * @param startupTimeout how long a container may take until it asks for its first input
 * @param singleUse a container takes one input and ends
 */
public record FunctionDefinition(
    FunctionId function,
    AppId app,
    String appName,
    String environment,
    String name,
    String definitionId,
    String definitionSha256,
    byte[] handleMetadata,
    @Nullable FunctionId baseFunction,
    byte[] serializedParams,
    @Nullable ImageId image,
    List<MountId> mounts,
    List<SecretId> secrets,
    Resources resources,
    Scaling scaling,
    Concurrency concurrency,
    Retries retries,
    Duration timeout,
    Duration startupTimeout,
    boolean singleUse,
    boolean blockNetwork,
    String clientVersion,
    String builderVersion)
    implements ClusterMessage {

  /** The same, to be told apart from what it was before: its containers are not those of that. */
  FunctionDefinition renewed(int appVersion) {
    return new FunctionDefinition(
        function,
        app,
        appName,
        environment,
        name,
        definitionId.replaceFirst("#.*", "") + "#" + appVersion,
        definitionSha256,
        handleMetadata,
        baseFunction,
        serializedParams,
        image,
        mounts,
        secrets,
        resources,
        scaling,
        concurrency,
        retries,
        timeout,
        startupTimeout,
        singleUse,
        blockNetwork,
        clientVersion,
        builderVersion);
  }

  /**
   * What one container wants of its machine. Requests are reserved, limits enforced; a limit of 0
   * is the machine's own.
   *
   * @param diskBytes what a container may write to its own file system
   * @param gpus ranked wishes, the first that is free is taken; empty: no device
   */
  public record Resources(
      int cpuMillis,
      int cpuLimitMillis,
      long memoryBytes,
      long memoryLimitBytes,
      long diskBytes,
      List<Gpu> gpus)
      implements ClusterMessage {}

  /** Devices of one type, as users say it: {@code H100}, count 2. */
  public record Gpu(String type, int count) implements ClusterMessage {

    @Override
    public String toString() {
      return count + "×" + type;
    }
  }

  /** How many containers there may be, and how long an idle one stays. */
  public record Scaling(
      int minContainers, int maxContainers, int bufferContainers, Duration scaledownWindow)
      implements ClusterMessage {}

  /** Inputs one container runs at a time, and how they are batched (size 0: not at all). */
  public record Concurrency(int target, int max, int batchMaxSize, Duration batchLinger)
      implements ClusterMessage {}

  /** Runs after the first that an input may have when it fails, and the waits between them. */
  public record Retries(
      int max, Duration initialDelay, double backoffCoefficient, Duration maxDelay)
      implements ClusterMessage {

    /** The wait before run {@code attempt} + 1, where {@code attempt} runs (from 1) have failed. */
    public Duration delayAfter(int attempt) {
      double millis =
          (double) initialDelay.toMillis()
              * Math.pow(Math.max(1, backoffCoefficient), attempt - 1.0);
      return Duration.ofMillis((long) Math.min(millis, (double) maxDelay.toMillis()));
    }
  }
}
