package dev.troupe.node.link;

import dev.troupe.protocol.link.ControlPlane;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.ToMachine;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One stream to the server. What the agent says waits here until the stream takes it, and calls of
 * containers wait in their door: as little as possible is handed to the connection ahead of time. A
 * server that says nothing for 10 s is taken for lost.
 */
final class GrpcLink extends ClientCall.Listener<ToMachine>
    implements ControlPlane.Link, RemoteContainerDoor.Line {

  static final Duration SILENCE = Duration.ofSeconds(10);

  /** Whoever has much to say waits while more than this waits. */
  private static final long ROOM_BYTES = 1 << 20;

  private static final Duration CLOSING = Duration.ofSeconds(2);

  private final ManagedChannel channel;
  private final ClientCall<FromMachine, ToMachine> call;
  private final RemoteContainerDoor door;
  private final Consumer<ToMachine> inbox;
  private final Consumer<Ended> lost;
  private final Queue<FromMachine> queue = new ArrayDeque<>();
  private volatile long heardNanos = System.nanoTime();
  private @Nullable Future<?> watch;
  private long queuedBytes;
  private boolean closing;
  private boolean halfClosed;
  private boolean over;

  /** How a link ended: the status of its stream, and a sentence. */
  record Ended(Status status, String why) {}

  GrpcLink(
      ManagedChannel channel,
      MethodDescriptor<FromMachine, ToMachine> method,
      RemoteContainerDoor door,
      Consumer<ToMachine> inbox,
      Consumer<Ended> lost) {
    this.channel = channel;
    this.door = door;
    this.inbox = inbox;
    this.lost = lost;
    this.call = channel.newCall(method, CallOptions.DEFAULT.withStreamTracerFactory(new Ear()));
  }

  void start(Metadata headers, ScheduledExecutorService timer) {
    call.start(this, headers);
    call.request(1);
    synchronized (this) {
      watch = timer.scheduleWithFixedDelay(this::watch, 1, 1, TimeUnit.SECONDS);
    }
  }

  /** Hears a long message while it comes: that is a word, too. */
  private final class Ear extends ClientStreamTracer.Factory {
    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata headers) {
      return new ClientStreamTracer() {
        @Override
        public void inboundWireSize(long bytes) {
          heardNanos = System.nanoTime();
        }
      };
    }
  }

  // ---- the server's words

  @Override
  public void onMessage(ToMachine message) {
    heardNanos = System.nanoTime();
    synchronized (this) {
      if (over) {
        return;
      }
    }
    if (message.hasDoorAnswer()) {
      door.answered(message.getDoorAnswer());
    } else {
      if (message.hasWelcome()) {
        door.linked(this, message.getWelcome().getLargestMessageBytes());
      }
      inbox.accept(message);
    }
    synchronized (this) {
      call.request(1);
    }
  }

  @Override
  public void onReady() {
    drain();
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    end(status, sentence(status));
  }

  private static String sentence(Status status) {
    String said = status.getDescription();
    Throwable cause = status.getCause();
    String why = said == null ? "the stream ended with " + status.getCode() : said;
    return cause == null ? why : why + " (" + cause.getMessage() + ")";
  }

  private void watch() {
    long silent = System.nanoTime() - heardNanos;
    if (silent > SILENCE.toNanos()) {
      String why = "nothing was heard of the server for %d s".formatted(SILENCE.toSeconds());
      call.cancel(why, null);
      end(Status.UNAVAILABLE, why);
    }
  }

  // ---- the agent's words

  @Override
  public void send(FromMachine message) {
    synchronized (this) {
      if (over || closing) {
        return;
      }
      queue.add(message);
      queuedBytes += message.getSerializedSize();
    }
    drain();
  }

  @Override
  public void wake() {
    drain();
  }

  @Override
  public synchronized void awaitRoom() throws InterruptedException {
    while (!over && queuedBytes > ROOM_BYTES) {
      wait();
    }
  }

  private synchronized void drain() {
    while (!over && call.isReady()) {
      FromMachine message = queue.poll();
      if (message != null) {
        queuedBytes -= message.getSerializedSize();
        notifyAll();
      } else if (!closing) {
        message = door.next(this);
      }
      if (message == null) {
        break;
      }
      call.sendMessage(message);
    }
    if (closing && !over && queue.isEmpty() && !halfClosed) {
      halfClosed = true;
      call.halfClose();
    }
  }

  // ---- the end

  private void end(Status status, String why) {
    synchronized (this) {
      if (over) {
        return;
      }
      over = true;
      if (watch != null) {
        watch.cancel(false);
      }
      queue.clear();
      notifyAll();
    }
    door.lost(this);
    channel.shutdownNow();
    lost.accept(new Ended(status, why));
  }

  /** Says what was to be said, and closes. */
  @Override
  public void close() {
    long until = System.nanoTime() + CLOSING.toNanos();
    synchronized (this) {
      closing = true;
      drain();
      try {
        long left = CLOSING.toMillis();
        while (!over && left > 0) {
          wait(left);
          left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        }
      } catch (InterruptedException hurry) {
        Thread.currentThread().interrupt();
      }
    }
    end(Status.CANCELLED, "the agent closed the link");
  }
}
