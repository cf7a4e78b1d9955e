package dev.troupe.node.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class GpuPoolTest {

  private final GpuPool pool = pool("H100", "A100-40GB", "H100");

  @Test
  void aDeviceIsOneContainersUntilItIsReleased() throws Exception {
    List<GpuDevice> first = pool.lease(List.of("H100"), Duration.ZERO);
    List<GpuDevice> second = pool.lease(List.of("H100"), Duration.ZERO);

    assertThat(first).extracting(GpuDevice::index).containsExactly(0);
    assertThat(second).extracting(GpuDevice::index).containsExactly(2);
    assertThatThrownBy(() -> pool.lease(List.of("H100"), Duration.ZERO))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no free device for [H100]; free are [A100-40GB 1");
    pool.release(first);
    assertThat(pool.lease(List.of("H100"), Duration.ZERO)).isEqualTo(first);
  }

  @Test
  void allOrNoneOfSeveralAreTaken() throws Exception {
    pool.lease(List.of("H100"), Duration.ZERO);

    assertThatThrownBy(() -> pool.lease(List.of("H100", "H100"), Duration.ZERO))
        .isInstanceOf(IOException.class);
    assertThat(pool.lease(List.of("H100", "A100-40GB"), Duration.ZERO)).hasSize(2);
  }

  @Test
  void waitsForAContainerThatIsBeingRemoved() throws Exception {
    List<GpuDevice> all = pool.lease(List.of("H100", "H100"), Duration.ZERO);
    CompletableFuture<List<GpuDevice>> next = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try {
            next.complete(pool.lease(List.of("H100"), Duration.ofSeconds(20)));
          } catch (IOException | InterruptedException failure) {
            next.completeExceptionally(failure);
          }
        });

    pool.release(all);

    assertThat(next.get(20, TimeUnit.SECONDS)).containsExactly(all.getFirst());
  }

  @Test
  void whatIsReleasedTwiceIsFreeOnce() throws Exception {
    List<GpuDevice> one = pool.lease(List.of("A100-40GB"), Duration.ZERO);
    pool.release(one);
    pool.release(one);

    assertThatThrownBy(() -> pool.lease(List.of("A100-40GB", "A100-40GB"), Duration.ZERO))
        .isInstanceOf(IOException.class);
  }

  @Test
  void simulatedDevicesKeepTheirNames() throws IOException {
    assertThat(Gpus.simulated("m1", List.of("h100", "A100")))
        .isEqualTo(Gpus.simulated("m1", List.of("H100", "a100-40gb")))
        .extracting(GpuDevice::type)
        .containsExactly("H100", "A100-40GB");
    assertThatThrownBy(() -> Gpus.simulated("m1", List.of("any")))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("troupe.agent.simulated-gpus: 'any' is no type of GPU; there are");
  }

  private static GpuPool pool(String... types) {
    try {
      return new GpuPool(Gpus.simulated("m1", List.of(types)));
    } catch (IOException unknown) {
      throw new IllegalArgumentException(unknown);
    }
  }
}
