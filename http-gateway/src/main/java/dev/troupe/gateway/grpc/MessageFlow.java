package dev.troupe.gateway.grpc;

import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Duration;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Takes the messages of a call that sends many of them off the wire. Room for each is reserved
 * before it is read, and waited for however long that takes: what is not pulled stays with the
 * sender, by HTTP/2's flow control. Whoever takes a message from here gives its room back.
 */
final class MessageFlow extends GraphStage<FlowShape<ByteString, Received>> {

  /** Left between two tries to reserve. */
  private static final Duration AGAIN = Duration.ofMillis(100);

  private final Admission admission;
  private final Runnable alive;
  private final Inlet<ByteString> in = Inlet.create("MessageFlow.in");
  private final Outlet<Received> out = Outlet.create("MessageFlow.out");
  private final FlowShape<ByteString, Received> shape = FlowShape.of(in, out);

  /**
   * @param alive called for every piece that comes, and while it is room that is waited for, not
   *     the sender
   */
  MessageFlow(Admission admission, Runnable alive) {
    this.admission = admission;
    this.alive = alive;
  }

  @Override
  public FlowShape<ByteString, Received> shape() {
    return shape;
  }

  @Override
  public GraphStageLogic createLogic(Attributes attributes) {
    return new Logic();
  }

  private final class Logic extends TimerGraphStageLogic {
    private static final String RESERVE = "reserve";

    private ByteString buffer = ByteString.emptyByteString();
    private int length = -1;
    private boolean waiting;
    private boolean ended;
    private @Nullable Reservation reservation;
    private final AsyncCallback<Admitted> admitted = createAsyncCallback(this::admitted);

    Logic() {
      super(shape);
      setHandler(
          in,
          new AbstractInHandler() {
            @Override
            public void onPush() {
              alive.run();
              buffer = buffer.concat(grab(in));
              proceed();
            }

            @Override
            public void onUpstreamFinish() {
              ended = true;
              proceed();
            }
          });
      setHandler(
          out,
          new AbstractOutHandler() {
            @Override
            public void onPull() {
              proceed();
            }
          });
    }

    @Override
    public void postStop() {
      Reservation held = reservation;
      if (held != null) {
        held.close();
      }
    }

    @Override
    public void onTimer(Object timer) {
      reserve();
    }

    private void proceed() {
      if (waiting) {
        return;
      }
      if (length < 0 && buffer.size() >= Frames.PREFIX_BYTES) {
        readPrefix();
      } else if (reservation != null && buffer.size() >= Frames.PREFIX_BYTES + length) {
        give(reservation);
      } else if (ended) {
        end();
      } else if (!hasBeenPulled(in)) {
        pull(in);
      }
    }

    private void end() {
      if (buffer.isEmpty()) {
        completeStage();
      } else {
        failStage(RpcFailure.invalid("The stream broke off within a message."));
      }
    }

    private void readPrefix() {
      length = Frames.messageLength(buffer);
      if (length > admission.largestBytes()) {
        throw MessageLimit.exceededBy(length, admission.largestBytes());
      }
      reserve();
    }

    private void reserve() {
      waiting = true;
      Admitted.ask(admission, length, admitted);
    }

    private void admitted(Admitted answer) {
      alive.run();
      if (answer.reservation() == null) {
        scheduleOnce(RESERVE, AGAIN);
        return;
      }
      waiting = false;
      reservation = answer.reservation();
      proceed();
    }

    private void give(Reservation held) {
      if (!isAvailable(out)) {
        return;
      }
      int end = Frames.PREFIX_BYTES + length;
      ByteString message = buffer.slice(Frames.PREFIX_BYTES, end);
      buffer = buffer.drop(end);
      length = -1;
      reservation = null;
      push(out, new Received(message, held));
      if (ended && buffer.isEmpty()) {
        completeStage();
      }
    }
  }
}
