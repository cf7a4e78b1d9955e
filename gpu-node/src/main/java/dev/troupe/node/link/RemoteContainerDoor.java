package dev.troupe.node.link;

import com.google.protobuf.Any;
import com.google.protobuf.UnsafeByteOperations;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.protocol.link.DoorAnswer;
import dev.troupe.protocol.link.DoorCall;
import dev.troupe.protocol.link.DoorCancel;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.RPCRetryPolicy;
import dev.troupe.protocol.modal.RPCStatus;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The door of containers whose server is elsewhere: each call is sent over the link and kept until
 * its answer is there. While there is no link, calls wait for the next one; on it all that are open
 * are sent again, under the idempotency key they had, so that each is carried out once. What the
 * containers notice of a lost server is that it takes its time.
 *
 * <p>Open calls are bounded in number and bytes. The link asks for the next one when it can send,
 * so nothing is kept twice and a call that is given up before its turn is never sent.
 */
public final class RemoteContainerDoor implements ContainerDoor {

  /** Calls that may be open at a time; the server takes as many of one machine. */
  static final int CALLS_LIMIT = 20_000;

  /** How long calls wait for a link. */
  static final Duration PATIENCE = Duration.ofMinutes(10);

  private static final String POLL = "FunctionGetInputs";
  private static final String IDEMPOTENCY_KEY = "x-idempotency-key";
  private static final float RETRY_AFTER_SECONDS = 2;
  private static final byte[] NO_DETAILS = {};

  private final long bytesLimit;
  private final Duration patience;
  private final ScheduledExecutorService timer;
  private final Runnable whenAbandoned;

  /** All that are open, in the order they began. */
  private final Map<Long, Open> open = new LinkedHashMap<>();

  /** Those of them that this link has not been given yet. */
  private final Map<Long, Open> unsent = new LinkedHashMap<>();

  private @Nullable Line line;
  private @Nullable Future<?> abandonment;
  private long largestBytes = Long.MAX_VALUE;
  private long openBytes;
  private long numbers;
  private boolean abandoned;
  private boolean retiring;

  /** The link, as the door uses it. */
  interface Line {

    /** Sends a message that is small. */
    void send(FromMachine message);

    /** There are calls to be sent: {@link RemoteContainerDoor#next}. */
    void wake();
  }

  /**
   * @param bytesLimit bytes of requests that may be open at a time
   * @param patience how long calls wait for a link
   * @param whenAbandoned run when they have waited for that long
   */
  RemoteContainerDoor(
      long bytesLimit, Duration patience, ScheduledExecutorService timer, Runnable whenAbandoned) {
    this.bytesLimit = bytesLimit;
    this.patience = patience;
    this.timer = timer;
    this.whenAbandoned = whenAbandoned;
  }

  /** A call without its answer. */
  private final class Open implements Held {
    private final long number = ++numbers;
    private final Call call;
    private final Answer answer;
    private final String key;
    private final long beganNanos = System.nanoTime();
    private boolean answering;

    private Open(Call call, Answer answer) {
      this.call = call;
      this.answer = answer;
      String given = call.headers().getOrDefault(IDEMPOTENCY_KEY, "");
      this.key = given.isEmpty() ? UUID.randomUUID().toString() : given;
    }

    private FromMachine message() {
      return FromMachine.newBuilder()
          .setDoorCall(
              DoorCall.newBuilder()
                  .setCall(number)
                  .setTaskId(call.task().value())
                  .setMethod(call.method())
                  .setRequest(UnsafeByteOperations.unsafeWrap(call.request()))
                  .putAllHeaders(call.headers())
                  .putHeaders(IDEMPOTENCY_KEY, key)
                  .setTimeoutMs(timeoutMillis()))
          .build();
    }

    /** What is left of the runner's time; 0 where it set none. */
    private int timeoutMillis() {
      Duration deadline = call.deadline();
      if (deadline == null) {
        return 0;
      }
      long left = deadline.minusNanos(System.nanoTime() - beganNanos).toMillis();
      return Math.clamp(left, 1, Integer.MAX_VALUE);
    }

    @Override
    public void cancel() {
      giveUp(this);
    }
  }

  // ---- containers

  @Override
  public Held call(Call call, Answer answer) {
    Open begun;
    Line to;
    synchronized (this) {
      if (retiring && call.method().equals(POLL)) {
        leave(answer);
        return () -> {};
      }
      if (abandoned || open.size() >= CALLS_LIMIT || openBytes >= bytesLimit) {
        refuse(answer, abandoned);
        return () -> {};
      }
      begun = new Open(call, answer);
      open.put(begun.number, begun);
      unsent.put(begun.number, begun);
      openBytes += call.request().length;
      to = line;
    }
    if (to != null) {
      to.wake();
    }
    return begun;
  }

  private void refuse(Answer answer, boolean noServer) {
    if (noServer) {
      answer.end(
          Status.Code.UNAVAILABLE.value(),
          "This machine has had no link to its server for %d minutes."
              .formatted(patience.toMinutes()),
          NO_DETAILS);
    } else {
      String full = "This machine has too many calls under way; it is sent again.";
      end(answer, Status.Code.RESOURCE_EXHAUSTED, full);
    }
  }

  private void giveUp(Open call) {
    Line to;
    synchronized (this) {
      boolean sent = unsent.remove(call.number) == null;
      to = remove(call) && sent ? line : null;
    }
    if (to != null) {
      to.send(
          FromMachine.newBuilder()
              .setDoorCancel(DoorCancel.newBuilder().setCall(call.number))
              .build());
    }
  }

  /** Whether it was open. */
  private boolean remove(Open call) {
    boolean was = open.remove(call.number) != null;
    if (was) {
      openBytes -= call.call.request().length;
    }
    return was;
  }

  /**
   * Containers take no more inputs: one that asks for some is told to leave, so idle ones end now
   * and busy ones once they have given their outputs.
   */
  void retire() {
    List<Open> polls = new ArrayList<>();
    synchronized (this) {
      retiring = true;
      open.values().stream().filter(each -> each.call.method().equals(POLL)).forEach(polls::add);
    }
    for (Open poll : polls) {
      leave(poll.answer);
      giveUp(poll);
    }
  }

  private static void leave(Answer answer) {
    answer.message(
        FunctionGetInputsResponse.newBuilder()
            .addInputs(FunctionGetInputsItem.newBuilder().setKillSwitch(true))
            .build()
            .toByteArray());
    answer.end(0, "", NO_DETAILS);
  }

  // ---- the link

  /**
   * A link is there: it is given all that is open.
   *
   * @param largestBytesTaken of a message; 0 where the server did not say
   */
  void linked(Line fresh, long largestBytesTaken) {
    List<Open> broken = new ArrayList<>();
    synchronized (this) {
      line = fresh;
      largestBytes = largestBytesTaken == 0 ? Long.MAX_VALUE : largestBytesTaken;
      abandoned = false;
      if (abandonment != null) {
        abandonment.cancel(false);
        abandonment = null;
      }
      unsent.clear();
      for (Open each : List.copyOf(open.values())) {
        if (each.answering) {
          remove(each);
          broken.add(each);
        } else {
          unsent.put(each.number, each);
        }
      }
    }
    for (Open each : broken) {
      end(each.answer, Status.Code.UNAVAILABLE, "The link broke in the middle of the answer.");
    }
    fresh.wake();
  }

  /** A link is gone; calls wait for the next. */
  synchronized void lost(Line gone) {
    if (line == gone) {
      line = null;
      abandonment = timer.schedule(this::abandon, patience.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void abandon() {
    List<Open> all;
    synchronized (this) {
      if (line != null) {
        return;
      }
      abandoned = true;
      all = List.copyOf(open.values());
      all.forEach(this::remove);
      unsent.clear();
    }
    all.forEach(each -> refuse(each.answer, true));
    whenAbandoned.run();
  }

  /** The next call for the link, when it can send; null where there is none. */
  @Nullable FromMachine next(Line asking) {
    while (true) {
      Open call;
      FromMachine message;
      long most;
      synchronized (this) {
        Iterator<Open> waiting = unsent.values().iterator();
        if (line != asking || !waiting.hasNext()) {
          return null;
        }
        call = waiting.next();
        waiting.remove();
        most = largestBytes;
        message = call.message();
        if (message.getSerializedSize() <= most) {
          return message;
        }
        remove(call);
      }
      call.answer.end(
          Status.Code.RESOURCE_EXHAUSTED.value(),
          "The message is %d MiB long; Troupe takes at most %d MiB."
              .formatted(Math.ceilDiv(message.getSerializedSize(), 1L << 20), most >> 20),
          NO_DETAILS);
    }
  }

  /** An answer has come, or a part of it. */
  void answered(DoorAnswer answer) {
    Open call;
    synchronized (this) {
      call = open.get(answer.getCall());
      if (call == null) {
        return;
      }
      call.answering = true;
      if (answer.getEnd()) {
        remove(call);
      }
    }
    if (answer.hasMessage()) {
      call.answer.message(answer.getMessage().toByteArray());
    }
    if (answer.getEnd()) {
      call.answer.end(
          answer.getStatus(), answer.getStatusMessage(), answer.getStatusDetails().toByteArray());
    }
  }

  /** Ends a call that the runner repeats after a while. */
  private static void end(Answer answer, Status.Code code, String why) {
    RPCRetryPolicy again =
        RPCRetryPolicy.newBuilder().setRetryAfterSecs(RETRY_AFTER_SECONDS).build();
    answer.end(
        code.value(),
        why,
        RPCStatus.newBuilder()
            .setCode(code.value())
            .setMessage(why)
            .addDetails(Any.pack(again, "type.modal.com"))
            .build()
            .toByteArray());
  }
}
