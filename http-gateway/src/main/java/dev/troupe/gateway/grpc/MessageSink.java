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
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.GraphStageWithMaterializedValue;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;

/**
 * Takes the one message of a unary request off the wire. Reads the prefix, reserves room for what
 * it announces, and only then pulls on: what is not pulled stays with the sender, by HTTP/2's flow
 * control. Gives the message with its reservation, or fails, and then holds nothing.
 *
 * <p>A refused request is read to its end all the same, and dropped, up to a limit; then the
 * refusal is told. A Python client that is in the middle of sending looks at no answer before it is
 * done. And Pekko HTTP never gives back the connection's window for bytes that it holds when a
 * stream is reset: a few uploads that are refused in their middle would stop the connection.
 */
final class MessageSink
    extends GraphStageWithMaterializedValue<SinkShape<ByteString>, CompletionStage<Received>> {

  /** A request of which nothing comes for so long has died. */
  static final Duration STALL = Duration.ofSeconds(30);

  /** Left between an answer and the reset of the stream it went to. */
  private static final Duration LINGER = Duration.ofSeconds(1);

  /** Of a refused request; four times the longest message. */
  private static final long DROPPED_BYTES = 4 * MessageLimit.BYTES;

  /** Of a request whose sender is not known. */
  private static final long DROPPED_BYTES_OF_STRANGERS = 1 << 20;

  private final Admission admission;
  private final @Nullable RpcFailure refusal;
  private final long mayDropBytes;
  private final Inlet<ByteString> in = Inlet.create("MessageSink.in");
  private final SinkShape<ByteString> shape = SinkShape.of(in);

  private MessageSink(Admission admission, @Nullable RpcFailure refusal, long mayDropBytes) {
    this.admission = admission;
    this.refusal = refusal;
    this.mayDropBytes = mayDropBytes;
  }

  /** Reads the message, when there is room for it. */
  static MessageSink reading(Admission admission) {
    return new MessageSink(admission, null, DROPPED_BYTES);
  }

  /** Reads nothing, and fails with this refusal. */
  static MessageSink refusing(Admission admission, RpcFailure refusal) {
    return new MessageSink(admission, refusal, DROPPED_BYTES);
  }

  /** Reads nothing, of a sender who is not known. */
  static MessageSink refusingStranger(Admission admission, RpcFailure refusal) {
    return new MessageSink(admission, refusal, DROPPED_BYTES_OF_STRANGERS);
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

  private final class Logic extends TimerGraphStageLogic {
    private static final String STALLED = "stalled";
    private static final String RESET = "reset";

    private final CompletableFuture<Received> received;
    private Phase phase = refusal == null ? Phase.PREFIX : Phase.DROP;
    private @Nullable Throwable failure = refusal;
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
      if (failure == null) {
        failure = RpcFailure.invalid("The request broke off.");
      }
      tell();
    }

    @Override
    public void onTimer(Object timer) {
      if (timer.equals(RESET)) {
        completeStage();
      } else if (moved || phase == Phase.ADMISSION) {
        moved = false;
      } else {
        refuse(RpcFailure.of(StatusCode.DEADLINE_EXCEEDED, "The request stalled."));
        reset();
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
      Admitted.ask(admission, length, createAsyncCallback(this::admitted));
    }

    private void admitted(Admitted answer) {
      Throwable refused = answer.refusal();
      Reservation given = answer.reservation();
      if (phase != Phase.ADMISSION) {
        if (given != null) {
          given.close();
        }
      } else if (refused != null) {
        refuse(refused);
      } else {
        reservation = given;
        phase = Phase.MESSAGE;
        proceed();
      }
    }

    private void refuse(Throwable why) {
      if (failure == null) {
        failure = why;
      }
      Reservation held = reservation;
      if (held != null) {
        reservation = null;
        held.close();
      }
      dropTheRest();
    }

    private void dropTheRest() {
      int already = buffer.size();
      buffer = ByteString.emptyByteString();
      phase = Phase.DROP;
      if (ended) {
        completeStage();
      } else {
        drop(failure == null ? 0 : already);
      }
    }

    private void drop(int bytes) {
      mayDrop -= bytes;
      if (mayDrop < 0) {
        reset();
      } else if (!isClosed(in) && !hasBeenPulled(in)) {
        pull(in);
      }
    }

    /** Tells the refusal before the end of the request, and ends the request a little later. */
    private void reset() {
      tell();
      scheduleOnce(RESET, LINGER);
    }

    private void tell() {
      if (failure != null) {
        received.completeExceptionally(failure);
      }
    }
  }
}
