package dev.troupe.gateway.service;

import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.Ids;
import dev.troupe.protocol.modal.AutoscalerSettings;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionOptions;
import dev.troupe.protocol.modal.Resources;
import java.util.HexFormat;
import java.util.List;

/** Variants: a function bound to parameters, or to other options than its definition's. */
final class Variants {

  private Variants() {}

  /** The id of a variant: equal for equal (function, parameters, options). */
  static FunctionId id(FunctionId base, byte[] serializedParams, FunctionOptions options) {
    return new FunctionId(
        FunctionId.PREFIX
            + Ids.contentKey(
                "variant",
                base.value(),
                HexFormat.of().formatHex(serializedParams),
                HexFormat.of().formatHex(Canonical.bytes(normal(options)))));
  }

  /**
   * The function with the options in the place of what it has; an option that is unset keeps it.
   */
  static RankedFunction with(Function base, List<Gpu> baseGpus, FunctionOptions options) {
    Function.Builder function = base.toBuilder();
    if (options.getReplaceSecretIds()) {
      function.clearSecretIds();
    }
    function.addAllSecretIds(options.getSecretIdsList()).addAllMountIds(options.getMountIdsList());
    if (options.hasResources()) {
      function.setResources(merge(base.getResources(), options.getResources()));
    }
    if (options.hasRetryPolicy()) {
      function.setRetryPolicy(options.getRetryPolicy());
    }
    if (options.hasTimeoutSecs()) {
      function.setTimeoutSecs(options.getTimeoutSecs());
    }
    if (options.hasMaxConcurrentInputs()) {
      function
          .setMaxConcurrentInputs(options.getMaxConcurrentInputs())
          .setTargetConcurrentInputs(options.getTargetConcurrentInputs());
    }
    if (options.hasBatchMaxSize()) {
      function
          .setBatchMaxSize(options.getBatchMaxSize())
          .setBatchLingerMs(options.getBatchLingerMs());
    }
    function.setAutoscalerSettings(scaling(base, options));
    boolean otherGpu = options.getResources().getGpuConfig().getCount() > 0;
    Function built = function.build();
    return otherGpu ? RankedFunction.of(built) : new RankedFunction(built, baseGpus);
  }

  /** Requests and limits go together: a new request without a limit takes the old limit away. */
  private static Resources merge(Resources base, Resources options) {
    Resources.Builder merged = base.toBuilder().mergeFrom(options);
    if (options.getMilliCpu() != 0) {
      merged.setMilliCpuMax(options.getMilliCpuMax());
    }
    if (options.getMemoryMb() != 0) {
      merged.setMemoryMbMax(options.getMemoryMbMax());
    }
    return merged.build();
  }

  private static AutoscalerSettings scaling(Function base, FunctionOptions options) {
    AutoscalerSettings.Builder settings = base.getAutoscalerSettings().toBuilder();
    if (options.hasConcurrencyLimit()) {
      settings.setMaxContainers(options.getConcurrencyLimit());
    }
    if (options.hasBufferContainers()) {
      settings.setBufferContainers(options.getBufferContainers());
    }
    if (options.hasTaskIdleTimeoutSecs()) {
      settings.setScaledownWindow(options.getTaskIdleTimeoutSecs());
    }
    return settings.build();
  }

  /** Without what says nothing: a client that sets no option may send empty ones, or none. */
  private static FunctionOptions normal(FunctionOptions options) {
    Resources resources = options.getResources();
    boolean empty =
        resources.getGpuConfig().getSerializedSize() == 0
            && resources.toBuilder().clearGpuConfig().build().getSerializedSize() == 0;
    return empty ? options.toBuilder().clearResources().build() : options;
  }
}
