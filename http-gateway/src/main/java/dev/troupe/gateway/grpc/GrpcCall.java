package dev.troupe.gateway.grpc;

import com.google.protobuf.Message;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpEntity.ChunkStreamPart;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * One call from its dispatch to its end: gives the response, tells the handler that the caller has
 * gone, and gives back what the call reserved.
 *
 * <p>Pekko HTTP does not tell of a reset of a request whose response is not begun. So a unary call
 * that is not answered at once begins its response: headers go out, and the rest is a stream that
 * is cancelled when the caller goes. Not told is a call whose connection breaks before that; what
 * waits on its behalf has a bound of its own.
 */
final class GrpcCall {

  /** A unary call that is not answered by then begins its response. */
  static final Duration HELD = Duration.ofMillis(100);

  /** A response that is not begun by then never will be: its connection is gone. */
  static final Duration BEGUN_WITHIN = Duration.ofSeconds(10);

  /** A longer answer is counted as memory in use until the caller has read it. */
  static final int LARGE_ANSWER_BYTES = 1 << 20;

  private static final int SLICE_BYTES = 64 << 10;

  private final String rpc;
  private final ActorSystem<?> system;
  private final Admission admission;
  private final Reservation request;
  private final Calls calls;
  private final CompletableFuture<Void> cancelled = new CompletableFuture<>();
  private final CompletableFuture<Message> result = new CompletableFuture<>();
  private final SharedKillSwitch drained = KillSwitches.shared("drained");
  private final AtomicBoolean responding = new AtomicBoolean();
  private final AtomicBoolean finished = new AtomicBoolean();

  GrpcCall(
      String rpc, ActorSystem<?> system, Admission admission, Reservation request, Calls calls) {
    this.rpc = rpc;
    this.system = system;
    this.admission = admission;
    this.request = request;
    this.calls = calls;
    calls.begun(this);
  }

  /** Completes when the caller has gone before the end. */
  CompletionStage<Void> cancelled() {
    return cancelled;
  }

  /** The response to a call with one answer. */
  CompletionStage<HttpResponse> unary(CompletionStage<? extends Message> answer) {
    answer.whenComplete(this::settle);
    if (result.isDone()) {
      return CompletableFuture.completedFuture(settled());
    }
    CompletableFuture<HttpResponse> response = new CompletableFuture<>();
    Cancellable timer = schedule(HELD, () -> respond(response));
    CompletionStage<Message> settled = result;
    settled.whenComplete(
        (message, failure) -> {
          timer.cancel();
          respond(response);
        });
    return response;
  }

  /** The response to a call that is answered by a stream. */
  HttpResponse streaming(Source<? extends Message, NotUsed> answers) {
    return stream(answers.via(drained.flow()).map(Frames::encode));
  }

  /** Ends a call that could go on: it is repeated, at another gateway or later. */
  void drain() {
    result.completeExceptionally(
        RpcFailure.unavailable("Troupe is shutting down.", Failures.RETRY_AFTER));
    drained.shutdown();
    cancelled.complete(null);
  }

  private void settle(@Nullable Message message, @Nullable Throwable failure) {
    if (message != null) {
      result.complete(message);
    } else {
      result.completeExceptionally(
          failure == null ? new IllegalStateException("no answer") : failure);
    }
  }

  /** Called when the answer is there, and when it is late: the first of the two responds. */
  private void respond(CompletableFuture<HttpResponse> response) {
    if (responding.compareAndSet(false, true)) {
      response.complete(result.isDone() ? settled() : held());
    }
  }

  private HttpResponse settled() {
    Message message;
    try {
      message = result.join();
    } catch (RuntimeException failure) {
      end();
      return GrpcResponses.refusal(Failures.of(rpc, failure));
    }
    ByteString frame = Frames.encode(message);
    if (frame.size() <= LARGE_ANSWER_BYTES) {
      end();
      return GrpcResponses.message(frame);
    }
    Reservation answer = admission.charge(frame.size());
    return GrpcResponses.stream(watched(pieces(frame), answer));
  }

  private HttpResponse held() {
    return stream(Source.completionStage(result).map(Frames::encode));
  }

  private HttpResponse stream(Source<ByteString, NotUsed> frames) {
    return GrpcResponses.stream(watched(frames, () -> {}));
  }

  /** Adds the end to a stream, and notices when it is over, however it ends. */
  private Source<ChunkStreamPart, NotUsed> watched(
      Source<ByteString, NotUsed> frames, Reservation answer) {
    AtomicBoolean begun = new AtomicBoolean();
    Runnable over =
        () -> {
          answer.close();
          if (!finished.get()) {
            cancelled.complete(null);
          }
          end();
        };
    Cancellable neverBegun =
        schedule(
            BEGUN_WITHIN,
            () -> {
              if (begun.compareAndSet(false, true)) {
                over.run();
              }
            });
    return frames
        .map(GrpcResponses::part)
        .concatLazy(Source.lazySingle(this::goodEnd))
        .recover(new PFBuilder<Throwable, ChunkStreamPart>().matchAny(this::badEnd).build())
        .watchTermination(
            (ignored, done) -> {
              begun.set(true);
              neverBegun.cancel();
              done.whenComplete((success, failure) -> over.run());
              return NotUsed.getInstance();
            });
  }

  private ChunkStreamPart goodEnd() {
    finished.set(true);
    return GrpcResponses.end();
  }

  private ChunkStreamPart badEnd(Throwable failure) {
    finished.set(true);
    return GrpcResponses.end(Failures.of(rpc, failure));
  }

  private static Source<ByteString, NotUsed> pieces(ByteString frame) {
    return Source.fromIterator(
        () ->
            IntStream.iterate(0, at -> at < frame.size(), at -> at + SLICE_BYTES)
                .mapToObj(at -> frame.slice(at, at + SLICE_BYTES))
                .iterator());
  }

  private Cancellable schedule(Duration after, Runnable action) {
    return system.scheduler().scheduleOnce(after, action, system.executionContext());
  }

  private void end() {
    request.close();
    calls.ended(this);
  }
}
