package dev.troupe.node.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class BuildGateTest {

  @TempDir private Path store = Path.of("unset");

  private static <T> T onAnotherThread(java.util.concurrent.Callable<T> what) throws Exception {
    CompletableFuture<T> done = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try {
            done.complete(what.call());
          } catch (Exception failure) {
            done.completeExceptionally(failure);
          }
        });
    return done.get(20, TimeUnit.SECONDS);
  }

  @Test
  void manyBuildAtOnceAndNobodyIsAloneMeanwhile() throws Exception {
    BuildGate gate = BuildGate.of(store);
    try (BuildGate.Inside one = gate.build()) {
      boolean alone =
          onAnotherThread(
              () -> {
                try (BuildGate.Inside another = gate.build()) {
                  return gate.alone().isPresent();
                }
              });
      assertThat(alone).isFalse();
      assertThat(onAnotherThread(gate::alone)).as("one builds still").isEmpty();
    }
    gate.alone().orElseThrow().close();
  }

  @Test
  void whoBuildsWaitsForWhoIsAlone() throws Exception {
    BuildGate gate = BuildGate.of(store);
    CompletableFuture<Boolean> built = new CompletableFuture<>();
    try (BuildGate.Inside alone = gate.alone().orElseThrow()) {
      Thread.startVirtualThread(
          () -> {
            try (BuildGate.Inside building = gate.build()) {
              built.complete(true);
            } catch (Exception failure) {
              built.completeExceptionally(failure);
            }
          });
      assertThat(built.isDone()).isFalse();
    }
    assertThat(built.get(20, TimeUnit.SECONDS)).isTrue();
  }
}
