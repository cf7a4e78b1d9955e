package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionCreateRequest;
import dev.troupe.protocol.modal.FunctionData;
import dev.troupe.protocol.modal.GPUConfig;
import dev.troupe.protocol.modal.Resources;
import java.util.List;
import org.junit.jupiter.api.Test;

class RankedFunctionTest {

  private static final Function FUNCTION =
      Function.newBuilder()
          .setFunctionName("f")
          .addMountIds("mo-b")
          .addMountIds("mo-a")
          .addSecretIds("st-1")
          .addSecretIds("st-2")
          .build();

  @Test
  void isTheSameWhateverTheOrderOfItsMounts() {
    Function other =
        FUNCTION.toBuilder().clearMountIds().addMountIds("mo-a").addMountIds("mo-b").build();

    assertThat(id(other)).isEqualTo(id(FUNCTION));
  }

  @Test
  void isAnotherOnceAnythingElseChanges() {
    Function otherSecrets =
        FUNCTION.toBuilder().clearSecretIds().addSecretIds("st-2").addSecretIds("st-1").build();

    assertThat(id(otherSecrets)).isNotEqualTo(id(FUNCTION));
    assertThat(id(FUNCTION.toBuilder().setTimeoutSecs(7).build())).isNotEqualTo(id(FUNCTION));
    assertThat(RankedFunction.of(FUNCTION).definitionId("1.5.4", "2025.06"))
        .isNotEqualTo(RankedFunction.of(FUNCTION).definitionId("1.6.4", "2025.06"));
  }

  @Test
  void readsAPlainFunctionWithItsDevice() {
    RankedFunction ranked =
        RankedFunction.of(FunctionCreateRequest.newBuilder().setFunction(with("H100", 8)).build());

    assertThat(ranked.gpus()).containsExactly(new Gpu("H100", 8));
    assertThat(ranked.data().getRankedFunctionsList())
        .extracting(FunctionData.RankedFunction::getFunction)
        .containsExactly(with("H100", 8));
  }

  @Test
  void readsRankedWishesInTheirOrder() {
    RankedFunction ranked =
        RankedFunction.of(
            FunctionCreateRequest.newBuilder()
                .setFunctionData(
                    FunctionData.newBuilder()
                        .addRankedFunctions(rank(1, with("A100", 1)))
                        .addRankedFunctions(rank(0, with("H100", 1))))
                .build());

    assertThat(ranked.gpus()).containsExactly(new Gpu("H100", 1), new Gpu("A100", 1));
    assertThat(ranked.data().getRankedFunctionsList())
        .containsExactly(rank(0, with("H100", 1)), rank(1, with("A100", 1)));
  }

  @Test
  void refusesATypeThatIsNoneWithTheListOfThose() {
    assertThatThrownBy(() -> RankedFunction.of(with("H1000", 1)))
        .isInstanceOf(RpcFailure.class)
        .hasMessageContaining("gpu=\"H1000\" is no type of GPU. There are: T4, L4, ")
        .hasMessageContaining("A100-80GB");
    assertThatThrownBy(() -> RankedFunction.of(with("H100", 65)))
        .isInstanceOf(RpcFailure.class)
        .hasMessageContaining("between 1 and 64");
    assertThat(RankedFunction.of(with("H100!", 2)).gpus()).containsExactly(new Gpu("H100", 2));
  }

  @Test
  void refusesARequestWithoutAFunction() {
    assertThatThrownBy(() -> RankedFunction.of(FunctionCreateRequest.getDefaultInstance()))
        .isInstanceOf(RpcFailure.class);
    assertThatThrownBy(
            () ->
                RankedFunction.of(
                    FunctionCreateRequest.newBuilder()
                        .setFunctionData(FunctionData.getDefaultInstance())
                        .build()))
        .isInstanceOf(RpcFailure.class);
  }

  @Test
  void hasNoDeviceWhereNoneIsAskedFor() {
    assertThat(RankedFunction.of(FUNCTION).gpus()).isEqualTo(List.of());
  }

  private static String id(Function function) {
    return RankedFunction.of(function).definitionId("1.6.4", "2025.06");
  }

  private static Function with(String gpu, int count) {
    return FUNCTION.toBuilder()
        .setResources(
            Resources.newBuilder()
                .setGpuConfig(GPUConfig.newBuilder().setGpuType(gpu).setCount(count)))
        .build();
  }

  private static FunctionData.RankedFunction rank(int rank, Function function) {
    return FunctionData.RankedFunction.newBuilder().setRank(rank).setFunction(function).build();
  }
}
