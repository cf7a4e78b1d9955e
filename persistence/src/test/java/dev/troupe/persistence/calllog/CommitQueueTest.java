package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.T0;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.CommitQueue.Offer;
import dev.troupe.persistence.calllog.CommitRequest.Claim;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CommitQueueTest {

  private static final CommitQueue.Pace PACE =
      new CommitQueue.Pace(Duration.ofSeconds(30).toNanos(), 3, 0);

  private static final InputId INPUT = InputId.of(call(F, "c"), 0);

  private final CommitQueue queue = new CommitQueue(new CommitQueue.Limits(10_000, 3_000, 4, PACE));

  /** A write that weighs this much. */
  private static Write write(int bytes) {
    int length = bytes;
    Write write = write(new byte[length]);
    while (write.sizeBytes() != bytes) {
      length += (int) (bytes - write.sizeBytes());
      write = write(new byte[length]);
    }
    return write;
  }

  private static Write write(byte[] payload) {
    return Write.of(
        F,
        1,
        List.of(new LogWrite.NewInput(waiting(call(F, "c"), 0, 1, Payload.of(payload, null)))));
  }

  private List<CommitRequest> take() {
    return queue.take(OptionalLong.empty());
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

    assertThat(take()).containsExactly(first);
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

    assertThat(take()).hasSize(2);
    assertThat(take()).hasSize(3);

    for (int i = 0; i < 5; i++) {
      queue.offer(write(400));
    }
    assertThat(take()).hasSize(4);
    assertThat(take()).hasSize(1);
  }

  @Test
  void claimsAndWritesKeepTheirOrderAndShareNoGroup() {
    Write before = write(400);
    Claim claim = claim();
    Write after = Write.of(F, 2, List.of(newCall(call(F, "c"), 1)));
    List.of(before, claim, after).forEach(queue::offer);

    assertThat(take()).containsExactly(before);
    assertThat(take()).containsExactly(claim);
    assertThat(take()).containsExactly(after);
  }

  @Test
  void aClosedQueueGivesWhatItHasAndThenNothing() {
    queue.offer(claim());
    queue.close();

    assertThat(queue.offer(claim())).isEqualTo(Offer.CLOSED);
    assertThat(take()).hasSize(1);
    assertThat(take()).isEmpty();
  }

  @Test
  void whatNobodyWaitsForWaitsForCompany() throws Exception {
    Write mark = Write.of(F, 1, List.of(new LogWrite.Cleared(List.of(INPUT), T0)));
    queue.offer(mark);
    assertThat(queue.take(OptionalLong.of(System.nanoTime() + 1))).as("due").containsExactly(mark);

    CountDownLatch taken = new CountDownLatch(1);
    List<CommitRequest> group = new ArrayList<>();
    Thread taker =
        Thread.ofVirtual()
            .start(
                () -> {
                  group.addAll(take());
                  taken.countDown();
                });
    queue.offer(mark);
    assertThat(taken.await(50, TimeUnit.MILLISECONDS)).as("30 s are its patience").isFalse();
    queue.offer(write(400));
    taker.join();
    assertThat(group).hasSize(2);
  }

  @Test
  void whatNobodyWaitsForGoesAloneInTheEnd() {
    CommitQueue impatient =
        new CommitQueue(
            new CommitQueue.Limits(10_000, 3_000, 4, new CommitQueue.Pace(1_000_000, 3, 0)));
    Write mark = Write.of(F, 1, List.of(new LogWrite.Leased(INPUT, Rows.mark(1))));
    impatient.offer(mark);

    assertThat(impatient.take(OptionalLong.empty())).containsExactly(mark);
  }

  @Test
  void afterABigGroupTheNextOneWaitsToBecomeAsBig() throws Exception {
    CommitQueue patient =
        new CommitQueue(
            new CommitQueue.Limits(
                10_000, 3_000, 4, new CommitQueue.Pace(0, 3, Duration.ofSeconds(30).toNanos())));
    for (int i = 0; i < 3; i++) {
      patient.offer(write(400));
    }
    assertThat(patient.take(OptionalLong.empty())).hasSize(3);

    List<CommitRequest> group = new ArrayList<>();
    Thread taker = Thread.ofVirtual().start(() -> group.addAll(patient.take(OptionalLong.empty())));
    for (int i = 0; i < 3; i++) {
      assertThat(taker.join(Duration.ofMillis(20))).as("with %d", i).isFalse();
      patient.offer(write(400));
    }
    taker.join();
    assertThat(group).hasSize(3);
  }
}
