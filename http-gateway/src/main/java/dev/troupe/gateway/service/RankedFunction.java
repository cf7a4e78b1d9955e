package dev.troupe.gateway.service;

import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.placement.GpuTypes;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionCreateRequest;
import dev.troupe.protocol.modal.FunctionData;
import dev.troupe.protocol.modal.GPUConfig;
import java.util.Comparator;
import java.util.List;

/**
 * What a client defines: one function, and the devices it may run on, best first. Clients send it
 * in two forms: a plain function with at most one wish, or copies of the function that differ in
 * nothing but the wish. The first copy stands for all.
 */
record RankedFunction(Function function, List<Gpu> gpus) {

  /** Of one container; no machine has more. */
  private static final int MOST_DEVICES = 64;

  /** Reads either form. */
  static RankedFunction of(FunctionCreateRequest request) {
    if (request.hasFunctionData()) {
      List<Function> ranked =
          request.getFunctionData().getRankedFunctionsList().stream()
              .sorted(Comparator.comparingInt(FunctionData.RankedFunction::getRank))
              .map(FunctionData.RankedFunction::getFunction)
              .toList();
      if (ranked.isEmpty()) {
        throw RpcFailure.invalid("A function with ranked wishes must have at least one.");
      }
      return new RankedFunction(
          ranked.getFirst(), ranked.stream().flatMap(one -> gpus(one).stream()).toList());
    }
    if (!request.hasFunction()) {
      throw RpcFailure.invalid("No function was sent.");
    }
    return of(request.getFunction());
  }

  /** A plain function. */
  static RankedFunction of(Function function) {
    return new RankedFunction(function, gpus(function));
  }

  /**
   * Names what is defined: changes when it changes, and only then. The mounts of a function have no
   * order of their own; everything else counts, and so does the client whose runner will run it.
   */
  String definitionId(String clientVersion, String builderVersion) {
    Function ordered =
        function.toBuilder()
            .clearMountIds()
            .addAllMountIds(function.getMountIdsList().stream().sorted().distinct().toList())
            .build();
    return "de-"
        + Ids.contentKey(
            Canonical.sha256Hex(Canonical.bytes(ordered)),
            gpus.toString(),
            clientVersion,
            builderVersion);
  }

  /** The form in which clients read a function back, whichever form it came in. */
  FunctionData data() {
    FunctionData.Builder data =
        FunctionData.newBuilder()
            .setModuleName(function.getModuleName())
            .setFunctionName(function.getFunctionName())
            .setImplementationName(function.getImplementationName())
            .setFunctionType(function.getFunctionType())
            .setWarmPoolSize(function.getWarmPoolSize())
            .setConcurrencyLimit(function.getConcurrencyLimit())
            .setTaskIdleTimeoutSecs(function.getTaskIdleTimeoutSecs())
            .setExperimentalBufferContainers(function.getExperimentalBufferContainers())
            .setTimeoutSecs(function.getTimeoutSecs())
            .setStartupTimeoutSecs(function.getStartupTimeoutSecs())
            .putAllMethodDefinitions(function.getMethodDefinitionsMap())
            .setMethodDefinitionsSet(function.getMethodDefinitionsSet())
            .setIsClass(function.getIsClass())
            .setIsMethod(function.getIsMethod())
            .putAllExperimentalOptions(function.getExperimentalOptionsMap())
            .addAllSupportedInputFormats(function.getSupportedInputFormatsList())
            .addAllSupportedOutputFormats(function.getSupportedOutputFormatsList())
            .setRoutingRegion(function.getRoutingRegion());
    if (function.hasClassParameterInfo()) {
      data.setClassParameterInfo(function.getClassParameterInfo());
    }
    if (function.hasAutoscalerSettings()) {
      data.setAutoscalerSettings(function.getAutoscalerSettings());
    }
    if (function.hasFunctionSchema()) {
      data.setFunctionSchema(function.getFunctionSchema());
    }
    if (gpus.size() < 2) {
      data.addRankedFunctions(rank(0, function));
    }
    for (int rank = 0; gpus.size() > 1 && rank < gpus.size(); rank++) {
      data.addRankedFunctions(rank(rank, withGpu(gpus.get(rank))));
    }
    return data.build();
  }

  private Function withGpu(Gpu gpu) {
    GPUConfig wish = GPUConfig.newBuilder().setGpuType(gpu.type()).setCount(gpu.count()).build();
    return function.toBuilder()
        .setResources(function.getResources().toBuilder().setGpuConfig(wish))
        .build();
  }

  private static FunctionData.RankedFunction rank(int rank, Function function) {
    return FunctionData.RankedFunction.newBuilder().setRank(rank).setFunction(function).build();
  }

  private static List<Gpu> gpus(Function function) {
    GPUConfig wish = function.getResources().getGpuConfig();
    if (wish.getCount() == 0) {
      return List.of();
    }
    String type =
        GpuTypes.ofWish(wish.getGpuType())
            .orElseThrow(
                () ->
                    RpcFailure.invalid(
                        "gpu=\"%s\" is no type of GPU. There are: %s."
                            .formatted(wish.getGpuType(), GpuTypes.wishes())));
    if (wish.getCount() < 0 || wish.getCount() > MOST_DEVICES) {
      throw RpcFailure.invalid(
          "gpu=\"%s:%s\": a container has between 1 and %d devices."
              .formatted(
                  wish.getGpuType(), Integer.toUnsignedString(wish.getCount()), MOST_DEVICES));
    }
    return List.of(new Gpu(type, wish.getCount()));
  }
}
