package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionDefinition.Concurrency;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.function.FunctionDefinition.Retries;
import dev.troupe.actors.function.FunctionDefinition.Scaling;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.service.Definitions.Origin;
import dev.troupe.protocol.modal.AutoscalerSettings;
import dev.troupe.protocol.modal.ClassParameterInfo;
import dev.troupe.protocol.modal.ClassParameterSpec;
import dev.troupe.protocol.modal.DataFormat;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.Function.FunctionType;
import dev.troupe.protocol.modal.FunctionHandleMetadata;
import dev.troupe.protocol.modal.FunctionRetryPolicy;
import dev.troupe.protocol.modal.MethodDefinition;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DefinitionsTest {

  private static final FunctionId FUNCTION = new FunctionId("fu-0000000000000000000001");
  private static final AppId APP = new AppId("ap-0000000000000000000001");

  @Test
  void hasTheClientsDefaults() {
    FunctionDefinition definition = read(Function.newBuilder().setFunctionName("f"));

    assertThat(definition.resources())
        .isEqualTo(new Resources(125, 0, 128L << 20, 0, 0, List.of()));
    assertThat(definition.scaling()).isEqualTo(new Scaling(0, 1_000, 0, Duration.ofMinutes(1)));
    assertThat(definition.concurrency()).isEqualTo(new Concurrency(1, 1, 0, Duration.ZERO));
    assertThat(definition.retries())
        .isEqualTo(new Retries(0, Duration.ofSeconds(1), 1, Duration.ofMinutes(1)));
    assertThat(definition.timeout()).isEqualTo(Duration.ofMinutes(5));
    assertThat(definition.startupTimeout()).isEqualTo(Duration.ofMinutes(5));
    assertThat(definition.image()).isNull();
  }

  @Test
  void takesWhatIsGiven() {
    FunctionDefinition definition =
        read(
            Function.newBuilder()
                .setFunctionName("f")
                .setResources(
                    dev.troupe.protocol.modal.Resources.newBuilder()
                        .setMilliCpu(2_000)
                        .setMilliCpuMax(4_000)
                        .setMemoryMb(256)
                        .setMemoryMbMax(512)
                        .setEphemeralDiskMb(64))
                .setAutoscalerSettings(
                    AutoscalerSettings.newBuilder()
                        .setMinContainers(1)
                        .setMaxContainers(3)
                        .setBufferContainers(2)
                        .setScaledownWindow(9))
                .setMaxConcurrentInputs(10)
                .setTargetConcurrentInputs(4)
                .setBatchMaxSize(8)
                .setBatchLingerMs(50)
                .setRetryPolicy(
                    FunctionRetryPolicy.newBuilder()
                        .setRetries(2)
                        .setBackoffCoefficient(2)
                        .setInitialDelayMs(100)
                        .setMaxDelayMs(700))
                .setTimeoutSecs(11)
                .setStartupTimeoutSecs(12)
                .setMaxInputs(1)
                .setBlockNetwork(true)
                .setImageId("im-1")
                .addMountIds("mo-1")
                .addMountIds("mo-1")
                .addSecretIds("st-1"));

    assertThat(definition.resources())
        .isEqualTo(new Resources(2_000, 4_000, 256L << 20, 512L << 20, 64L << 20, List.of()));
    assertThat(definition.scaling()).isEqualTo(new Scaling(1, 3, 2, Duration.ofSeconds(9)));
    assertThat(definition.concurrency())
        .isEqualTo(new Concurrency(4, 10, 8, Duration.ofMillis(50)));
    assertThat(definition.retries())
        .isEqualTo(new Retries(2, Duration.ofMillis(100), 2, Duration.ofMillis(700)));
    assertThat(definition.timeout()).isEqualTo(Duration.ofSeconds(11));
    assertThat(definition.startupTimeout()).isEqualTo(Duration.ofSeconds(12));
    assertThat(definition.singleUse()).isTrue();
    assertThat(definition.blockNetwork()).isTrue();
    assertThat(definition.mounts()).hasSize(1);
  }

  @Test
  void readsTheOlderNamesOfTheScalingFields() {
    FunctionDefinition definition =
        read(
            Function.newBuilder()
                .setWarmPoolSize(1)
                .setConcurrencyLimit(2)
                .setExperimentalBufferContainers(1)
                .setTaskIdleTimeoutSecs(30));

    assertThat(definition.scaling()).isEqualTo(new Scaling(1, 2, 1, Duration.ofSeconds(30)));
  }

  @Test
  void keepsNoMinimumOfWhatTakesParameters() {
    Function.Builder parametrized =
        Function.newBuilder()
            .setIsClass(true)
            .setWarmPoolSize(1)
            .setClassParameterInfo(
                ClassParameterInfo.newBuilder()
                    .addSchema(ClassParameterSpec.newBuilder().setName("size")));

    assertThat(read(parametrized).scaling().minContainers()).isZero();
    assertThat(read(Function.newBuilder().setWarmPoolSize(1), FUNCTION).scaling().minContainers())
        .isZero();
  }

  @Test
  void describesTheHandle() {
    FunctionDefinition definition =
        read(
            Function.newBuilder()
                .setFunctionName("C.*")
                .setFunctionType(FunctionType.FUNCTION_TYPE_FUNCTION)
                .setIsClass(true)
                .putMethodDefinitions(
                    "m",
                    MethodDefinition.newBuilder()
                        .setFunctionName("C.m")
                        .setFunctionType(FunctionType.FUNCTION_TYPE_FUNCTION)
                        .addSupportedInputFormats(DataFormat.DATA_FORMAT_PICKLE)
                        .build()),
            FUNCTION);

    FunctionHandleMetadata handle = Handles.parse(definition.handleMetadata());
    assertThat(handle.getFunctionName()).isEqualTo("C.*");
    assertThat(handle.getDefinitionId()).isEqualTo(definition.definitionId());
    assertThat(handle.getAppId()).isEqualTo(APP.value());
    assertThat(handle.getBaseFunctionId()).isEqualTo(FUNCTION.value());
    assertThat(handle.hasMaxObjectSizeBytes()).isFalse();
    FunctionHandleMetadata method = handle.getMethodHandleMetadataOrThrow("m");
    assertThat(method.getUseMethodName()).isEqualTo("m");
    assertThat(method.getIsMethod()).isTrue();
    assertThat(method.getSupportedInputFormatsList())
        .containsExactly(DataFormat.DATA_FORMAT_PICKLE);
  }

  @Test
  void letsAContainerSendBiggerOutputsThanItsCallersMay() {
    FunctionHandleMetadata handle = FunctionHandleMetadata.getDefaultInstance();

    assertThat(Handles.inContainer(handle, 0).getMaxAsyncObjectSizeBytes()).isEqualTo(16L << 20);
    assertThat(Handles.inContainer(handle, 5).getMaxObjectSizeBytes()).isEqualTo(4L << 20);
  }

  private static FunctionDefinition read(Function.Builder function) {
    return read(function, null);
  }

  private static FunctionDefinition read(Function.Builder function, @Nullable FunctionId base) {
    Origin origin = new Origin(FUNCTION, APP, "app", "main", base, new byte[0], "1.6.4", "2025.06");
    return Definitions.read(origin, RankedFunction.of(function.build()), "00");
  }
}
