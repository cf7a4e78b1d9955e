package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.persistence.calllog.CommitQueue.Offer;
import dev.troupe.persistence.calllog.CommitRequest.Claim;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class CommitQueueTest {

  private final CommitQueue queue = new CommitQueue(new CommitQueue.Limits(10_000, 3_000, 4));

  private static Write write(int bytes) {
    Payload payload = Payload.of(new byte[bytes - 256 - 128], null);
    return Write.of(F, 1, List.of(new LogWrite.NewInput(waiting(call(F, "c"), 0, 1, payload))));
  }

  private static Claim claim() {
    return new Claim(F, new CompletableFuture<>());
  }

  @Test
  void refusesWhatIsPastTheBoundUntilSomethingWasTaken() {
    Write first = write(6_000);
    assertThat(queue.offer(first)).isEqualTo(Offer.TAKEN);
    assertThat(queue.offer(write(4_000))).as("at the bound").isEqualTo(Offer.TAKEN);
    assertThat(queue.offer(write(400))).as("past it").isEqualTo(Offer.FULL);

    assertThat(queue.take()).containsExactly(first);
    assertThat(queue.offer(write(400))).isEqualTo(Offer.TAKEN);
  }

  @Test
  void anEmptyQueueTakesOneOfAnySize() {
    assertThat(queue.offer(write(50_000))).isEqualTo(Offer.TAKEN);
    assertThat(queue.offer(write(400))).isEqualTo(Offer.FULL);
  }

  @Test
  void aGroupIsBoundedInBytesAndInNumber() {
    List<Write> writes = List.of(write(1_500), write(1_500), write(500), write(500), write(500));
    writes.forEach(queue::offer);

    assertThat(queue.take()).hasSize(2);
    assertThat(queue.take()).hasSize(3);

    for (int i = 0; i < 5; i++) {
      queue.offer(write(400));
    }
    assertThat(queue.take()).hasSize(4);
    assertThat(queue.take()).hasSize(1);
  }

  @Test
  void claimsAndWritesKeepTheirOrderAndShareNoGroup() {
    Write before = write(400);
    Claim claim = claim();
    Write after = Write.of(F, 2, List.of(newCall(call(F, "c"), 1)));
    List.of(before, claim, after).forEach(queue::offer);

    assertThat(queue.take()).containsExactly(before);
    assertThat(queue.take()).containsExactly(claim);
    assertThat(queue.take()).containsExactly(after);
  }

  @Test
  void aClosedQueueGivesWhatItHasAndThenNothing() {
    queue.offer(claim());
    queue.close();

    assertThat(queue.offer(claim())).isEqualTo(Offer.CLOSED);
    assertThat(queue.take()).hasSize(1);
    assertThat(queue.take()).isEmpty();
  }
}
