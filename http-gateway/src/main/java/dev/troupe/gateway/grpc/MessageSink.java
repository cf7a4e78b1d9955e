package dev.troupe.gateway.grpc;

import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.SinkShape;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.GraphStageWithMaterializedValue;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;
import scala.jdk.javaapi.FutureConverters;

/**
 * Takes the one message of a unary request off the wire. Reads the prefix, reserves room for what
 * it announces, and only then pulls on: what is not pulled stays with the sender, by HTTP/2's flow
 * control. Gives the message with its reservation, or fails, and then holds nothing.
 *
 * <p>What comes after a refusal is pulled and dropped, up to a limit. To cancel at once would reset
 * the stream before the answer is on its way, a Python client that is in the middle of sending
 * looks at the answer only once it is done, and Pekko HTTP never gives back the connection's window
 * for bytes that it holds when a stream is reset: a few refused uploads would stop the connection.
 */
final class MessageSink
    extends GraphStageWithMaterializedValue<
        SinkShape<ByteString>, CompletionStage<MessageSink.Received>> {

  /** A message, and the room that was reserved for it: to be closed when its call ends. */
  record Received(ByteString message, Reservation reservation) {}

  /** A request of which nothing comes for so long has died. */
  static final Duration STALL = Duration.ofSeconds(30);

  /** Left between an answer and the reset of the stream it went to. */
  private static final Duration LINGER = Duration.ofSeconds(1);

  /** Of a refused request; four times the longest message. */
  private static final long DROPPED_BYTES = 4 * MessageLimit.BYTES;

  /** Of a request whose sender is not known. */
  private static final long DROPPED_BYTES_OF_STRANGERS = 1 << 20;

  private final @Nullable Admission admission;
  private final long mayDropBytes;
  private final Inlet<ByteString> in = Inlet.create("MessageSink.in");
  private final SinkShape<ByteString> shape = SinkShape.of(in);

  private MessageSink(@Nullable Admission admission, long mayDropBytes) {
    this.admission = admission;
    this.mayDropBytes = mayDropBytes;
  }

  /** Reads the message, when there is room for it. */
  static MessageSink reading(Admission admission) {
    return new MessageSink(admission, DROPPED_BYTES);
  }

  /**
   * Reads nothing: drops what comes, so that the answer arrives. A stranger's request is reset
   * early, which may cost that connection its window.
   */
  static MessageSink dropping(boolean ofStranger) {
    return new MessageSink(null, ofStranger ? DROPPED_BYTES_OF_STRANGERS : DROPPED_BYTES);
  }

  @Override
  public SinkShape<ByteString> shape() {
    return shape;
  }

  @Override
  public Tuple2<GraphStageLogic, CompletionStage<Received>> createLogicAndMaterializedValue(
      Attributes attributes) {
    CompletableFuture<Received> received = new CompletableFuture<>();
    return new Tuple2<>(new Logic(received), received);
  }

  private enum Phase {
    PREFIX,
    ADMISSION,
    MESSAGE,
    DROP
  }

  private record Admitted(@Nullable Reservation reservation, @Nullable Throwable refusal) {}

  private final class Logic extends TimerGraphStageLogic {
    private static final String STALLED = "stalled";
    private static final String RESET = "reset";

    private final CompletableFuture<Received> received;
    private Phase phase = admission == null ? Phase.DROP : Phase.PREFIX;
    private ByteString buffer = ByteString.emptyByteString();
    private long wanted = Frames.PREFIX_BYTES;
    private long mayDrop = mayDropBytes;
    private boolean ended;
    private boolean moved;
    private @Nullable Reservation reservation;

    Logic(CompletableFuture<Received> received) {
      super(shape);
      this.received = received;
      setHandler(
          in,
          new AbstractInHandler() {
            @Override
            public void onPush() {
              moved = true;
              take(grab(in));
            }

            @Override
            public void onUpstreamFinish() {
              ended = true;
              proceed();
            }

            @Override
            public void onUpstreamFailure(Throwable cause) {
              ended = true;
              refuse(cause);
            }
          });
    }

    @Override
    public void preStart() {
      setKeepGoing(true);
      scheduleAtFixedRate(STALLED, STALL, STALL);
      pull(in);
    }

    @Override
    public void postStop() {
      fail(RpcFailure.invalid("The request broke off."));
    }

    @Override
    public void onTimer(Object timer) {
      if (timer.equals(RESET)) {
        completeStage();
      } else if (moved || phase == Phase.ADMISSION) {
        moved = false;
      } else {
        refuse(RpcFailure.of(StatusCode.DEADLINE_EXCEEDED, "The request stalled."));
        scheduleOnce(RESET, LINGER);
      }
    }

    private void take(ByteString bytes) {
      if (phase == Phase.DROP) {
        drop(bytes.size());
      } else {
        buffer = buffer.concat(bytes);
        proceed();
      }
    }

    private void proceed() {
      if (phase == Phase.DROP) {
        if (ended) {
          completeStage();
        }
      } else if (phase != Phase.ADMISSION) {
        if (buffer.size() >= wanted) {
          whole();
        } else if (ended) {
          refuse(RpcFailure.invalid("The request is malformed: its message is incomplete."));
        } else if (!hasBeenPulled(in)) {
          pull(in);
        }
      }
    }

    private void whole() {
      Reservation held = reservation;
      if (held == null) {
        readPrefix();
      } else if (buffer.size() > wanted) {
        refuse(RpcFailure.invalid("The request is malformed: more follows its message."));
      } else {
        reservation = null;
        received.complete(new Received(buffer.drop(Frames.PREFIX_BYTES), held));
        dropTheRest();
      }
    }

    private void readPrefix() {
      int length;
      try {
        length = Frames.messageLength(buffer);
      } catch (RpcFailure refusal) {
        refuse(refusal);
        return;
      }
      wanted = (long) Frames.PREFIX_BYTES + length;
      phase = Phase.ADMISSION;
      AsyncCallback<Admitted> admitted = createAsyncCallback(this::admitted);
      requireAdmission()
          .reserve(length)
          .whenComplete(
              (given, refusal) ->
                  FutureConverters.asJava(admitted.invokeWithFeedback(new Admitted(given, refusal)))
                      .whenComplete((done, stopped) -> giveBack(given, stopped)));
    }

    /** The stage has stopped, since the caller has gone: nobody else will give the room back. */
    private void giveBack(@Nullable Reservation given, @Nullable Throwable stopped) {
      if (stopped != null && given != null) {
        given.close();
      }
    }

    private void admitted(Admitted answer) {
      Throwable refusal = answer.refusal();
      if (phase != Phase.ADMISSION) {
        giveBack(answer.reservation(), refusal == null ? new IllegalStateException() : refusal);
      } else if (refusal != null) {
        refuse(refusal);
      } else {
        reservation = answer.reservation();
        phase = Phase.MESSAGE;
        proceed();
      }
    }

    private void refuse(Throwable failure) {
      fail(failure);
      dropTheRest();
    }

    private void fail(Throwable failure) {
      received.completeExceptionally(failure);
      Reservation held = reservation;
      if (held != null) {
        reservation = null;
        held.close();
      }
    }

    private void dropTheRest() {
      int already = buffer.size();
      buffer = ByteString.emptyByteString();
      phase = Phase.DROP;
      if (ended) {
        completeStage();
      } else {
        drop(received.isCompletedExceptionally() ? already : 0);
      }
    }

    private void drop(int bytes) {
      mayDrop -= bytes;
      if (mayDrop < 0) {
        scheduleOnce(RESET, LINGER);
      } else if (!isClosed(in) && !hasBeenPulled(in)) {
        pull(in);
      }
    }

    private Admission requireAdmission() {
      if (admission == null) {
        throw new IllegalStateException("dropping");
      }
      return admission;
    }
  }
}
