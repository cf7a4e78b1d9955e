package dev.troupe.gateway.link;

import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.grpc.Admission;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.grpc.Duplex;
import dev.troupe.gateway.grpc.Duplex.Incoming;
import dev.troupe.gateway.grpc.Duplex.Outgoing;
import dev.troupe.gateway.link.MachineLink.Carrier;
import dev.troupe.gateway.link.MachineLink.Message;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.ToMachine;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.QueueOfferResult;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * One connection of a machine's agent, which carries a link. Both ways what waits here is memory of
 * the process-wide budget: a word of the agent is not read before there is room for it, and what
 * waits to be sent keeps others from being read. An agent that takes nothing is given up.
 */
final class LinkStream {

  /** Messages that may wait to be sent. */
  static final int QUEUE_LIMIT = 50_000;

  /** An agent that has taken nothing for so long, of what waits for it, has died. */
  static final Duration STALL = Duration.ofSeconds(30);

  /** Left between the last word to the agent and the reset of the stream it goes by. */
  private static final Duration LINGER = Duration.ofSeconds(1);

  private static final String GONE = "The connection is gone.";
  private static final String UNREAD =
      "The agent has left %d messages unread.".formatted(QUEUE_LIMIT);

  private final MachineId machine;
  private final Duplex duplex;
  private final Admission admission;
  private final ActorSystem<?> system;
  private final SharedKillSwitch reading = KillSwitches.shared("link");
  private final Set<Reservation> rooms = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean over = new AtomicBoolean();
  private final CompletableFuture<ActorRef<Message>> link = new CompletableFuture<>();
  private volatile long heardNanos = System.nanoTime();
  private volatile long movedNanos = System.nanoTime();

  LinkStream(MachineId machine, Duplex duplex, Admission admission, ActorSystem<?> system) {
    this.machine = machine;
    this.duplex = duplex;
    this.admission = admission;
    this.system = system;
  }

  /** Opens a link over this connection; the response goes on as long as that does. */
  HttpResponse open(HttpRequest request, NodeLinks links) {
    Pair<BoundedSourceQueue<Outgoing>, Source<Outgoing, NotUsed>> outbound =
        Source.<Outgoing>queue(QUEUE_LIMIT).preMaterialize(system);
    BoundedSourceQueue<Outgoing> queue = outbound.first();
    Consumer<ToMachine> say = message -> say(message, queue);
    Consumer<String> lost = why -> end(why, queue);
    ActorRef<Message> opened = links.open(new Carrier(say, lost, machine, this::silence));
    link.complete(opened);
    var read =
        duplex
            .messages(request, FromMachine.parser(), () -> heardNanos = System.nanoTime())
            .via(reading.flow())
            .runForeach(incoming -> opened.tell(heard(incoming)), system);
    read.whenComplete((_, failure) -> opened.tell(new Message.Close(sentence(failure))));
    return duplex.answer(
        outbound
            .second()
            .watchTermination(
                (none, done) -> {
                  done.whenComplete((_, _) -> opened.tell(new Message.Close(GONE)));
                  return none;
                }),
        () -> movedNanos = System.nanoTime());
  }

  private Message heard(Incoming<FromMachine> incoming) {
    Reservation room = incoming.room();
    rooms.add(room);
    return new Message.Heard(incoming.message(), () -> release(room));
  }

  private void release(Reservation room) {
    room.close();
    rooms.remove(room);
  }

  private Duration silence() {
    return Duration.ofNanos(System.nanoTime() - heardNanos);
  }

  private static String sentence(@Nullable Throwable failure) {
    if (failure == null) {
      return "The agent closed the link.";
    }
    Throwable cause = Failures.unwrapped(failure);
    return cause instanceof RpcFailure refusal
        ? refusal.description()
        : "The connection broke: %s.".formatted(cause.getMessage());
  }

  private void say(ToMachine message, BoundedSourceQueue<Outgoing> queue) {
    if (over.get()) {
      return;
    }
    if (queue.size() == 0) {
      movedNanos = System.nanoTime();
    }
    Reservation room = admission.charge(message.getSerializedSize());
    rooms.add(room);
    QueueOfferResult offered = queue.offer(new Outgoing(message, () -> release(room)));
    if (!(offered instanceof QueueOfferResult.Enqueued$)) {
      release(room);
      close(queue.isCompleted() ? GONE : UNREAD);
    } else if (System.nanoTime() - movedNanos > STALL.toNanos()) {
      close("The agent has read nothing for %d s.".formatted(STALL.toSeconds()));
    }
  }

  private void close(String why) {
    var unused = link.thenAccept(opened -> opened.tell(new Message.Close(why)));
  }

  /** The link has ended: its last word goes out, then nothing of the connection is kept. */
  private void end(String why, BoundedSourceQueue<Outgoing> queue) {
    if (!over.compareAndSet(false, true)) {
      return;
    }
    sayLast(why, queue);
    system
        .scheduler()
        .scheduleOnce(
            LINGER,
            () -> {
              reading.shutdown();
              rooms.forEach(this::release);
            },
            system.executionContext());
  }

  /** Ends what is sent with a sentence for the agent, unless the agent has gone first. */
  static void sayLast(String why, BoundedSourceQueue<?> queue) {
    try {
      queue.fail(RpcFailure.unavailable(why, Failures.RETRY_AFTER));
    } catch (IllegalStateException gone) {
      // The connection is closed from the other side, which no question asked before can rule out.
    }
  }
}
