package dev.troupe.gateway.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.blob.BlobStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class FailuresTest {

  @Test
  void aBlobStoreThatIsAwayIsAskedAgainByTheClient() {
    var away =
        new BlobStore.Away("The blob store can't keep payload/bl-1 now", new IOException("test"));
    for (Throwable wrapped :
        List.of(
            away,
            new CompletionException(away),
            new CompletionException(new UncheckedIOException(away)))) {
      RpcFailure failure = Failures.of("FunctionMap", wrapped);

      assertThat(failure.code()).isEqualTo(StatusCode.UNAVAILABLE);
      assertThat(failure.getMessage()).isEqualTo("The blob store can't keep payload/bl-1 now.");
    }
  }

  @Test
  void anotherFailureOfADiskIsABug() {
    assertThat(Failures.of("FunctionMap", new IOException("damaged")).code())
        .isEqualTo(StatusCode.INTERNAL);
  }
}
