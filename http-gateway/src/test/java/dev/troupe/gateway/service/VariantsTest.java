package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionOptions;
import dev.troupe.protocol.modal.GPUConfig;
import dev.troupe.protocol.modal.Resources;
import java.util.List;
import org.junit.jupiter.api.Test;

class VariantsTest {

  private static final FunctionId BASE = new FunctionId("fu-0000000000000000000001");
  private static final FunctionOptions NONE = FunctionOptions.getDefaultInstance();

  @Test
  void hasOneIdForEqualParametersAndOptions() {
    FunctionOptions empty =
        FunctionOptions.newBuilder()
            .setResources(Resources.newBuilder().setGpuConfig(GPUConfig.getDefaultInstance()))
            .build();

    assertThat(Variants.id(BASE, bytes(1), NONE)).isEqualTo(Variants.id(BASE, bytes(1), empty));
    assertThat(Variants.id(BASE, bytes(1), NONE)).isNotEqualTo(Variants.id(BASE, bytes(2), NONE));
    assertThat(Variants.id(BASE, bytes(1), NONE))
        .isNotEqualTo(
            Variants.id(BASE, bytes(1), FunctionOptions.newBuilder().setTimeoutSecs(1).build()));
  }

  @Test
  void putsOptionsInThePlaceOfWhatTheFunctionHas() {
    Function base =
        Function.newBuilder()
            .addSecretIds("st-old")
            .setTimeoutSecs(300)
            .setMaxConcurrentInputs(2)
            .setTargetConcurrentInputs(1)
            .setResources(
                Resources.newBuilder().setMilliCpu(500).setMemoryMb(128).setMemoryMbMax(256))
            .build();
    FunctionOptions options =
        FunctionOptions.newBuilder()
            .addSecretIds("st-new")
            .setReplaceSecretIds(true)
            .setTimeoutSecs(5)
            .setConcurrencyLimit(4)
            .setMaxConcurrentInputs(10)
            .setResources(Resources.newBuilder().setMemoryMb(512))
            .build();

    Function variant = Variants.with(base, List.of(), options).function();

    assertThat(variant.getSecretIdsList()).containsExactly("st-new");
    assertThat(variant.getTimeoutSecs()).isEqualTo(5);
    assertThat(variant.getMaxConcurrentInputs()).isEqualTo(10);
    assertThat(variant.getTargetConcurrentInputs()).isZero();
    assertThat(variant.getAutoscalerSettings().getMaxContainers()).isEqualTo(4);
    assertThat(variant.getResources())
        .isEqualTo(Resources.newBuilder().setMilliCpu(500).setMemoryMb(512).build());
  }

  @Test
  void keepsRankedDevicesUnlessAnotherIsNamed() {
    List<Gpu> ranked = List.of(new Gpu("H100", 1), new Gpu("A100", 1));
    FunctionOptions other =
        FunctionOptions.newBuilder()
            .setResources(
                Resources.newBuilder()
                    .setGpuConfig(GPUConfig.newBuilder().setGpuType("L4").setCount(2)))
            .build();

    assertThat(Variants.with(Function.getDefaultInstance(), ranked, NONE).gpus()).isEqualTo(ranked);
    assertThat(Variants.with(Function.getDefaultInstance(), ranked, other).gpus())
        .containsExactly(new Gpu("L4", 2));
  }

  private static byte[] bytes(int value) {
    return new byte[] {(byte) value};
  }
}
