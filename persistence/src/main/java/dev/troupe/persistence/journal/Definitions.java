package dev.troupe.persistence.journal;

import com.google.protobuf.ByteString;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MountId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.persistence.journal.proto.StoredDefinition;

/** Definitions of functions, to and from their message. */
final class Definitions {

  static StoredDefinition toMessage(FunctionDefinition definition) {
    StoredDefinition.Builder message =
        StoredDefinition.newBuilder()
            .setFunction(definition.function().value())
            .setApp(definition.app().value())
            .setAppName(definition.appName())
            .setEnvironment(definition.environment())
            .setName(definition.name())
            .setDefinitionId(definition.definitionId())
            .setDefinitionSha256(definition.definitionSha256())
            .setHandleMetadata(ByteString.copyFrom(definition.handleMetadata()))
            .setSerializedParams(ByteString.copyFrom(definition.serializedParams()))
            .addAllMounts(definition.mounts().stream().map(MountId::value).toList())
            .addAllSecrets(definition.secrets().stream().map(SecretId::value).toList())
            .setResources(toMessage(definition.resources()))
            .setScaling(toMessage(definition.scaling()))
            .setConcurrency(toMessage(definition.concurrency()))
            .setRetries(toMessage(definition.retries()))
            .setTimeout(Times.micros(definition.timeout()))
            .setStartupTimeout(Times.micros(definition.startupTimeout()))
            .setSingleUse(definition.singleUse())
            .setBlockNetwork(definition.blockNetwork())
            .setClientVersion(definition.clientVersion())
            .setBuilderVersion(definition.builderVersion());
    if (definition.baseFunction() != null) {
      message.setBaseFunction(definition.baseFunction().value());
    }
    if (definition.image() != null) {
      message.setImage(definition.image().value());
    }
    return message.build();
  }

  static FunctionDefinition fromMessage(StoredDefinition message) {
    return new FunctionDefinition(
        new FunctionId(message.getFunction()),
        new AppId(message.getApp()),
        message.getAppName(),
        message.getEnvironment(),
        message.getName(),
        message.getDefinitionId(),
        message.getDefinitionSha256(),
        message.getHandleMetadata().toByteArray(),
        message.hasBaseFunction() ? new FunctionId(message.getBaseFunction()) : null,
        message.getSerializedParams().toByteArray(),
        message.hasImage() ? new ImageId(message.getImage()) : null,
        message.getMountsList().stream().map(MountId::new).toList(),
        message.getSecretsList().stream().map(SecretId::new).toList(),
        fromMessage(message.getResources()),
        fromMessage(message.getScaling()),
        fromMessage(message.getConcurrency()),
        fromMessage(message.getRetries()),
        Times.duration(message.getTimeout()),
        Times.duration(message.getStartupTimeout()),
        message.getSingleUse(),
        message.getBlockNetwork(),
        message.getClientVersion(),
        message.getBuilderVersion());
  }

  private static StoredDefinition.Resources toMessage(FunctionDefinition.Resources resources) {
    var message =
        StoredDefinition.Resources.newBuilder()
            .setCpuMillis(resources.cpuMillis())
            .setCpuLimitMillis(resources.cpuLimitMillis())
            .setMemoryBytes(resources.memoryBytes())
            .setMemoryLimitBytes(resources.memoryLimitBytes())
            .setDiskBytes(resources.diskBytes());
    for (FunctionDefinition.Gpu gpu : resources.gpus()) {
      message.addGpusBuilder().setType(gpu.type()).setCount(gpu.count());
    }
    return message.build();
  }

  private static FunctionDefinition.Resources fromMessage(StoredDefinition.Resources message) {
    return new FunctionDefinition.Resources(
        message.getCpuMillis(),
        message.getCpuLimitMillis(),
        message.getMemoryBytes(),
        message.getMemoryLimitBytes(),
        message.getDiskBytes(),
        message.getGpusList().stream()
            .map(gpu -> new FunctionDefinition.Gpu(gpu.getType(), gpu.getCount()))
            .toList());
  }

  private static StoredDefinition.Scaling toMessage(FunctionDefinition.Scaling scaling) {
    return StoredDefinition.Scaling.newBuilder()
        .setMinContainers(scaling.minContainers())
        .setMaxContainers(scaling.maxContainers())
        .setBufferContainers(scaling.bufferContainers())
        .setScaledownWindow(Times.micros(scaling.scaledownWindow()))
        .build();
  }

  private static FunctionDefinition.Scaling fromMessage(StoredDefinition.Scaling message) {
    return new FunctionDefinition.Scaling(
        message.getMinContainers(),
        message.getMaxContainers(),
        message.getBufferContainers(),
        Times.duration(message.getScaledownWindow()));
  }

  private static StoredDefinition.Concurrency toMessage(
      FunctionDefinition.Concurrency concurrency) {
    return StoredDefinition.Concurrency.newBuilder()
        .setTarget(concurrency.target())
        .setMax(concurrency.max())
        .setBatchMaxSize(concurrency.batchMaxSize())
        .setBatchLinger(Times.micros(concurrency.batchLinger()))
        .build();
  }

  private static FunctionDefinition.Concurrency fromMessage(StoredDefinition.Concurrency message) {
    return new FunctionDefinition.Concurrency(
        message.getTarget(),
        message.getMax(),
        message.getBatchMaxSize(),
        Times.duration(message.getBatchLinger()));
  }

  private static StoredDefinition.Retries toMessage(FunctionDefinition.Retries retries) {
    return StoredDefinition.Retries.newBuilder()
        .setMax(retries.max())
        .setInitialDelay(Times.micros(retries.initialDelay()))
        .setBackoffCoefficient(retries.backoffCoefficient())
        .setMaxDelay(Times.micros(retries.maxDelay()))
        .build();
  }

  private static FunctionDefinition.Retries fromMessage(StoredDefinition.Retries message) {
    return new FunctionDefinition.Retries(
        message.getMax(),
        Times.duration(message.getInitialDelay()),
        message.getBackoffCoefficient(),
        Times.duration(message.getMaxDelay()));
  }
}
