package dev.troupe.gateway.link;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.id.MachineId;
import dev.troupe.cluster.ClusterMessage;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.ToMachine;
import dev.troupe.protocol.link.UnfollowLogs;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a gateway read the logs of machines that are linked to another one: the relays of all
 * gateways tell each other which machines they have, pass questions on to the one that has the
 * machine, and bring the answers back.
 *
 * <pre>
 *   reader ──▶ relay here ──Ask──▶ relay there ──link──▶ agent
 *                    ▲────Part, Part, …────┘◀─────────────┘
 * </pre>
 */
final class LinkRelay {

  private static final Logger LOG = LoggerFactory.getLogger(LinkRelay.class);

  /** Well under the frame size of the cluster. */
  static final int PART_BYTES = 256 << 10;

  private static final ServiceKey<Message> KEY = ServiceKey.create(Message.class, "link-relay");

  /** What relays are told. */
  sealed interface Message {}

  /** Between relays. */
  sealed interface Wire extends Message, ClusterMessage {}

  /** These machines, and no others, are linked to the relay that says so. */
  record Here(List<MachineId> machines, ActorRef<Message> relay) implements Wire {}

  /** A word for a machine, of somebody who reads its logs. */
  record Ask(MachineId machine, byte[] word, ActorRef<Message> from) implements Wire {}

  /** A machine's answer in parts; {@code number} counts them. */
  record Part(MachineId machine, String reading, int number, byte[] bytes, boolean isLast)
      implements Wire {}

  private sealed interface Local extends Message, NoSerializationVerificationNeeded {}

  private record Linked(MachineId machine, Consumer<ToMachine> link) implements Local {}

  private record Lost(MachineId machine, Consumer<ToMachine> link) implements Local {}

  private record Answered(MachineId machine, String reading, FromMachine answer, boolean isLast)
      implements Local {}

  private record Others(Set<ActorRef<Message>> relays) implements Local {}

  /** Where the readers of this gateway hear of links and answers. */
  interface Readers {
    void linked(MachineId machine, Consumer<ToMachine> link);

    void lost(MachineId machine, Consumer<ToMachine> link);

    void received(MachineId machine, LogBatch batch);

    void received(MachineId machine, LogsRead answer);
  }

  /** A reading that another gateway does over a link here. */
  private record Reading(MachineId machine, ActorRef<Message> reader) {}

  /** What was heard so far of an answer. */
  private static final class Whole {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int parts;
  }

  private final Readers readers;

  /** Readings of others by their ids; read from any thread. */
  private final Map<String, Reading> readings;

  private final ActorContext<Message> context;
  private final Map<MachineId, Consumer<ToMachine>> own = new HashMap<>();
  private final Map<ActorRef<Message>, Map<MachineId, Consumer<ToMachine>>> others =
      new HashMap<>();
  private final Map<String, Whole> coming = new HashMap<>();

  private LinkRelay(Readers readers, Map<String, Reading> readings, ActorContext<Message> context) {
    this.readers = readers;
    this.readings = readings;
    this.context = context;
    ActorRef<Receptionist.Listing> listing =
        context.messageAdapter(
            Receptionist.Listing.class, found -> new Others(found.getServiceInstances(KEY)));
    context.getSystem().receptionist().tell(Receptionist.register(KEY, context.getSelf()));
    context.getSystem().receptionist().tell(Receptionist.subscribe(KEY, listing));
  }

  /** The end of this gateway; may be told from any thread. */
  static final class Handle {
    private final ActorRef<Message> relay;
    private final Readers readers;
    private final Map<String, Reading> readings;

    private Handle(ActorRef<Message> relay, Readers readers, Map<String, Reading> readings) {
      this.relay = relay;
      this.readers = readers;
      this.readings = readings;
    }

    /** A machine has a new link here. */
    void linked(MachineId machine, Consumer<ToMachine> link) {
      relay.tell(new Linked(machine, link));
    }

    /** A link here is gone. */
    void lost(MachineId machine, Consumer<ToMachine> link) {
      relay.tell(new Lost(machine, link));
    }

    /** A machine has sent lines: to a reader here, or of another gateway. */
    void received(MachineId machine, LogBatch batch) {
      FromMachine word = FromMachine.newBuilder().setLogs(batch).build();
      if (!passes(machine, batch.getFollowId(), word, batch.getDrained())) {
        readers.received(machine, batch);
      }
    }

    /** A machine has answered a question: one of a reader here, or of another gateway. */
    void received(MachineId machine, LogsRead answer) {
      boolean last = answer.getEnd() || answer.getTooManyBytes() || !answer.getFailure().isEmpty();
      FromMachine word = FromMachine.newBuilder().setLogsRead(answer).build();
      if (!passes(machine, answer.getReadId(), word, last)) {
        readers.received(machine, answer);
      }
    }

    private boolean passes(MachineId machine, String id, FromMachine answer, boolean isLast) {
      if (!readings.containsKey(id)) {
        return false;
      }
      relay.tell(new Answered(machine, id, answer, isLast));
      return true;
    }
  }

  /** Starts the relay of a gateway. */
  static Handle start(ActorSystem<?> system, Readers readers) {
    Map<String, Reading> readings = new ConcurrentHashMap<>();
    Behavior<Message> relay =
        Behaviors.setup(context -> new LinkRelay(readers, readings, context).receive());
    return new Handle(system.systemActorOf(relay, "link-relay", Props.empty()), readers, readings);
  }

  private Behavior<Message> receive() {
    return Behaviors.receiveMessage(
        message -> {
          on(message);
          return Behaviors.same();
        });
  }

  private void on(Message message) {
    switch (message) {
      case Linked(var machine, var link) -> {
        own.put(machine, link);
        readers.linked(machine, link);
        tellAll();
      }
      case Lost(var machine, var link) -> {
        if (own.remove(machine, link)) {
          readings.values().removeIf(reading -> reading.machine().equals(machine));
          tellAll();
        }
        readers.lost(machine, link);
        others.values().stream()
            .map(links -> links.get(machine))
            .filter(elsewhere -> elsewhere != null && !own.containsKey(machine))
            .findFirst()
            .ifPresent(elsewhere -> readers.linked(machine, elsewhere));
      }
      case Others(var relays) -> others(relays);
      case Here(var machines, var relay) -> {
        // Its word may be here before the receptionist's.
        if (others.putIfAbsent(relay, new HashMap<>()) == null) {
          tellOf(relay);
        }
        here(relay, Set.copyOf(machines));
      }
      case Ask(var machine, var word, var from) -> ask(machine, word, from);
      case Answered answered -> answer(answered);
      case Part part -> part(part);
    }
  }

  // ---- who has which machine

  private void tellAll() {
    others.keySet().forEach(this::tellOf);
  }

  private void tellOf(ActorRef<Message> relay) {
    relay.tell(new Here(List.copyOf(own.keySet()), context.getSelf()));
  }

  private void others(Set<ActorRef<Message>> relays) {
    for (ActorRef<Message> gone : Set.copyOf(others.keySet())) {
      if (!relays.contains(gone)) {
        here(gone, Set.of());
        others.remove(gone);
        forget(gone);
      }
    }
    for (ActorRef<Message> relay : relays) {
      if (!relay.equals(context.getSelf()) && others.putIfAbsent(relay, new HashMap<>()) == null) {
        tellOf(relay);
      }
    }
  }

  /** What another relay has: the newest word on a machine counts, here or there. */
  private void here(ActorRef<Message> relay, Set<MachineId> machines) {
    Map<MachineId, Consumer<ToMachine>> links = others.getOrDefault(relay, new HashMap<>());
    for (MachineId machine : machines) {
      if (!links.containsKey(machine)) {
        Consumer<ToMachine> link =
            word -> relay.tell(new Ask(machine, word.toByteArray(), context.getSelf()));
        links.put(machine, link);
        readers.linked(machine, link);
      }
    }
    for (MachineId machine : new HashSet<>(links.keySet())) {
      if (!machines.contains(machine)) {
        Consumer<ToMachine> gone = links.get(machine);
        links.remove(machine);
        if (gone != null) {
          readers.lost(machine, gone);
        }
      }
    }
  }

  // ---- questions and answers

  private void ask(MachineId machine, byte[] bytes, ActorRef<Message> from) {
    Consumer<ToMachine> link = own.get(machine);
    if (link == null) {
      // The asker hears that the machine is elsewhere.
      tellOf(from);
      return;
    }
    try {
      ToMachine word = ToMachine.parseFrom(bytes);
      switch (word.getMessageCase()) {
        case FOLLOW -> begin(word.getFollow().getFollowId(), machine, from);
        case READ_LOGS -> begin(word.getReadLogs().getReadId(), machine, from);
        case FIND_CONTAINER -> begin(word.getFindContainer().getReadId(), machine, from);
        case UNFOLLOW -> readings.remove(word.getUnfollow().getFollowId());
        case LOG_CREDIT -> {}
        default -> {
          LOG.warn("A relay passes no {} on", word.getMessageCase());
          return;
        }
      }
      link.accept(word);
    } catch (InvalidProtocolBufferException malformed) {
      LOG.warn("A relay sent what is no word for a machine", malformed);
    }
  }

  private void begin(String id, MachineId machine, ActorRef<Message> from) {
    readings.put(id, new Reading(machine, from));
  }

  private void answer(Answered answered) {
    Reading reading =
        answered.isLast() ? readings.remove(answered.reading()) : readings.get(answered.reading());
    if (reading == null) {
      return;
    }
    byte[] bytes = answered.answer().toByteArray();
    int number = 0;
    for (int from = 0; from < bytes.length; from += PART_BYTES) {
      int to = Math.min(bytes.length, from + PART_BYTES);
      byte[] piece = Arrays.copyOfRange(bytes, from, to);
      reading
          .reader()
          .tell(
              new Part(
                  answered.machine(), answered.reading(), number++, piece, to == bytes.length));
    }
  }

  private void part(Part part) {
    Whole whole = part.number() == 0 ? new Whole() : coming.get(part.reading());
    if (whole == null || whole.parts++ != part.number()) {
      coming.remove(part.reading());
      return;
    }
    whole.bytes.writeBytes(part.bytes());
    if (!part.isLast()) {
      coming.put(part.reading(), whole);
      return;
    }
    coming.remove(part.reading());
    FromMachine answer = parsed(whole.bytes.toByteArray());
    if (answer != null && answer.hasLogs()) {
      readers.received(part.machine(), answer.getLogs());
    } else if (answer != null && answer.hasLogsRead()) {
      readers.received(part.machine(), answer.getLogsRead());
    }
  }

  private static @Nullable FromMachine parsed(byte[] bytes) {
    try {
      return FromMachine.parseFrom(bytes);
    } catch (InvalidProtocolBufferException malformed) {
      LOG.warn("A relay sent what is no word of a machine", malformed);
      return null;
    }
  }

  /** A gateway is gone: nobody reads for it any more. */
  private void forget(ActorRef<Message> gone) {
    readings.forEach(
        (id, reading) -> {
          Consumer<ToMachine> link = own.get(reading.machine());
          if (reading.reader().equals(gone) && readings.remove(id, reading) && link != null) {
            link.accept(
                ToMachine.newBuilder()
                    .setUnfollow(UnfollowLogs.newBuilder().setFollowId(id))
                    .build());
          }
        });
  }
}
