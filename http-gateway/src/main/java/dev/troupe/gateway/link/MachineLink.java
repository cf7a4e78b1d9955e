package dev.troupe.gateway.link;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import dev.troupe.cluster.Departures;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.service.Entities;
import dev.troupe.protocol.link.BuildImage;
import dev.troupe.protocol.link.Condition;
import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.Drain;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.Hello;
import dev.troupe.protocol.link.Ping;
import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.link.StopContainer;
import dev.troupe.protocol.link.ToMachine;
import dev.troupe.protocol.link.Welcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One open link to a machine's agent, whoever carries it: an actor, so that all that is said over
 * it is in order. It tells the machine's counterpart what the agent reports, and the agent what the
 * counterpart orders.
 *
 * <pre>
 *   agent ──Hello──▶ link ──Connected, every 5 s──▶ counterpart ──Order──▶ link ──▶ agent
 * </pre>
 */
final class MachineLink {

  /** Version of the link's messages that is spoken here. */
  static final int VERSION = 1;

  static final Duration RESTATED = Duration.ofSeconds(5);
  static final Duration BEAT = Duration.ofSeconds(2);
  static final Duration SILENCE = Duration.ofSeconds(10);

  /** How long an end is restated. */
  private static final Duration ENDED_KEPT = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(MachineLink.class);

  /** What a link is told. */
  sealed interface Message {

    /** The agent's word, and the memory it takes until it is done with. */
    record Heard(FromMachine message, Reservation room) implements Message {}

    /** A word to the agent. */
    record Say(ToMachine message) implements Message {}

    /** The counterpart's word. */
    record Ordered(Order order) implements Message {}

    /** A launch is resolved: one of {@code start} and {@code failure}. */
    record Resolved(TaskId task, @Nullable StartContainer start, @Nullable Throwable failure)
        implements Message {}

    /** What a build needs is gathered: one of {@code resolved} and {@code failure}. */
    record BuildResolved(
        Order.BuildImage build, @Nullable BuildImage resolved, @Nullable Throwable failure)
        implements Message {}

    /** It is time to restate. */
    record Restate() implements Message {}

    /** It is time for a sign of life. */
    record Beat() implements Message {}

    /** An end was restated for long enough. */
    record Forget(TaskId task) implements Message {}

    /** The link is closed, by either side. */
    record Close(String why) implements Message {}
  }

  /**
   * Who carries a link.
   *
   * @param known the machine that has proved itself; null for the agent of this process
   * @param silence how long nothing has come
   */
  record Carrier(
      Consumer<ToMachine> inbox,
      Consumer<String> lost,
      @Nullable MachineId known,
      Supplier<Duration> silence) {}

  /**
   * What links share.
   *
   * @param open the present link of each machine
   * @param departures after which a machine's counterpart may be new
   * @param largestBytes of a message that is taken of machines elsewhere
   */
  record Surroundings(
      Entities entities,
      LaunchResolver resolver,
      TaskRegistry tasks,
      LinkRelay.Handle relay,
      DoorTable door,
      MachineProofs proofs,
      ConcurrentMap<MachineId, ActorRef<Message>> open,
      Departures departures,
      long largestBytes) {}

  private final String linkId;
  private final Carrier carrier;
  private final Surroundings around;
  private final ActorContext<Message> context;
  private final TimerScheduler<Message> timers;
  private final ActorRef<Order> orders;
  private final Consumer<ToMachine> speaker;
  private final RemoteDoor door;

  private final LinkedTasks tasks = new LinkedTasks();
  private final LinkedBuilds builds;
  private @Nullable Hello hello;
  private @Nullable MachineId machine;
  private final Departures.Listening departures;
  private Condition condition = Condition.getDefaultInstance();
  private final MachineWatch watch = new MachineWatch(SILENCE, BEAT, System.nanoTime());
  private long beats;
  private volatile boolean closed;
  private String end = "The link was closed.";

  private MachineLink(
      String linkId,
      Carrier carrier,
      Surroundings around,
      ActorContext<Message> context,
      TimerScheduler<Message> timers) {
    this.linkId = linkId;
    this.carrier = carrier;
    this.around = around;
    this.context = context;
    this.timers = timers;
    this.orders = context.messageAdapter(Order.class, Message.Ordered::new);
    ActorRef<Message> self = context.getSelf();
    this.speaker = message -> self.tell(new Message.Say(message));
    this.builds = new LinkedBuilds(around.entities(), around.resolver(), around.tasks());
    this.door = new RemoteDoor(around.door().elsewhere(), around.tasks(), speaker);
    timers.startTimerWithFixedDelay(new Message.Beat(), BEAT);
    // What its counterpart knew may be gone with a process.
    this.departures = around.departures().listen(() -> self.tell(new Message.Restate()));
  }

  /** A link that waits for the agent's {@link Hello}. */
  static Behavior<Message> create(String linkId, Carrier carrier, Surroundings around) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new MachineLink(linkId, carrier, around, context, timers).receive()));
  }

  private Behavior<Message> receive() {
    return Behaviors.receive(Message.class)
        .onAnyMessage(this::guarded)
        .onSignal(
            PostStop.class,
            _ -> {
              closed();
              return Behaviors.same();
            })
        .build();
  }

  /** A word that can't be understood, or passed on, ends the link: the agent dials again. */
  private Behavior<Message> guarded(Message message) {
    try {
      return on(message);
    } catch (RuntimeException failure) {
      LOG.error("The link of machine {} can't go on", machine, failure);
      return close("Troupe could not go on with the link: %s.".formatted(failure.getMessage()));
    }
  }

  private Behavior<Message> on(Message message) {
    return switch (message) {
      case Message.Heard(var heard, var room) -> heard(heard, room);
      case Message.Say(var said) -> say(said);
      case Message.Ordered(var order) -> ordered(order);
      case Message.Resolved(var task, var start, var failure) -> resolved(task, start, failure);
      case Message.BuildResolved(var build, var resolved, var failure) ->
          buildResolved(build, resolved, failure);
      case Message.Restate() -> restate();
      case Message.Beat() -> beat();
      case Message.Forget(var task) -> forget(task);
      case Message.Close(var why) -> close(why);
    };
  }

  // ---- the agent's words

  private Behavior<Message> heard(FromMachine message, Reservation room) {
    MachineId from = machine;
    if (message.hasDoorCall() && from != null) {
      door.call(from, message.getDoorCall(), room);
      return Behaviors.same();
    }
    try (room) {
      return heard(message, from);
    }
  }

  private Behavior<Message> heard(FromMachine message, @Nullable MachineId from) {
    if (message.hasHello()) {
      return welcome(message.getHello());
    }
    if (from == null) {
      return close("The agent did not begin with Hello.");
    }
    switch (message.getMessageCase()) {
      case CONTAINER -> container(from, message.getContainer());
      case BUILD -> builds.said(message.getBuild());
      case LOGS -> around.relay().received(from, message.getLogs());
      case LOGS_READ -> around.relay().received(from, message.getLogsRead());
      case DOOR_CANCEL -> door.cancel(message.getDoorCancel().getCall());
      case PING -> noted(message.getPing());
      case HELLO, DOOR_CALL, MESSAGE_NOT_SET -> {}
    }
    return Behaviors.same();
  }

  private void noted(Ping ping) {
    if (ping.hasCondition()) {
      boolean news = condition.getDraining() != ping.getCondition().getDraining();
      condition = ping.getCondition();
      if (news) {
        restate();
      }
    }
  }

  private Behavior<Message> welcome(Hello said) {
    if (machine != null) {
      return close("The agent said Hello twice.");
    }
    if (Math.abs(said.getLinkVersion() - VERSION) > 1) {
      return close(
          "The agent speaks version %d of the link, Troupe version %d: update the older of the two."
              .formatted(said.getLinkVersion(), VERSION));
    }
    MachineId id = new MachineId(said.getMachineId());
    MachineId proved = carrier.known();
    if (proved != null && !proved.equals(id)) {
      return close("Machine %s says that it is machine %s.".formatted(proved, id));
    }
    hello = said;
    condition = said.getCondition();
    machine = id;
    ActorRef<Message> earlier = around.open().put(id, context.getSelf());
    if (earlier != null) {
      earlier.tell(new Message.Close("The machine has dialled anew."));
    }
    said.getImageIdsList().forEach(image -> builds.has(new ImageId(image)));
    say(
        ToMachine.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .setLinkVersion(VERSION)
                    .setLargestMessageBytes(around.largestBytes()))
            .build());
    said.getContainersList().forEach(report -> known(id, report, said.getBlobUrl()));
    LOG.info("Machine {} is linked, with {} containers", id, tasks.live());
    timers.startTimerWithFixedDelay(new Message.Restate(), RESTATED);
    restate();
    around.relay().linked(id, speaker);
    return Behaviors.same();
  }

  /** A container that the machine had before this link. */
  private void known(MachineId on, ContainerReport report, String blobUrl) {
    if (!around.proofs().allows(carrier.known(), report)) {
      return;
    }
    TaskReport task = LinkMessages.task(report, null);
    remember(task);
    if (task.ending() == null) {
      CompletionStage<Caller.Task> caller =
          around
              .resolver()
              .appAtLast(task.app(), () -> closed)
              .thenApply(app -> LinkMessages.caller(task, app, blobUrl));
      around.tasks().reported(on, task.task(), caller);
    }
  }

  private void container(MachineId from, ContainerReport report) {
    if (!around.proofs().allows(carrier.known(), report)) {
      return;
    }
    TaskId id = new TaskId(report.getTaskId());
    TaskReport task = LinkMessages.task(report, tasks.share(id));
    remember(task);
    tell(new NodeProtocol.TaskChanged(linkId, task));
    if (report.getState() != ContainerReport.State.STARTING) {
      builds.isOver(id.value());
    }
    if (task.ending() != null) {
      around.tasks().ended(id);
    }
    LOG.debug("Container {} on {} is {}", id, from, report.getState());
  }

  private void remember(TaskReport task) {
    tasks.said(task);
    if (task.ending() != null) {
      timers.startSingleTimer(task.task(), new Message.Forget(task.task()), ENDED_KEPT);
    }
  }

  private Behavior<Message> forget(TaskId task) {
    tasks.forget(task);
    return Behaviors.same();
  }

  // ---- the counterpart's words

  private Behavior<Message> ordered(Order order) {
    switch (order) {
      case Order.StartTask(var launch) -> start(launch);
      case Order.EndTask(var task, var grace) -> stop(task, grace);
      case Order.BuildImage build ->
          context.pipeToSelf(
              builds.order(build),
              (resolved, failure) -> new Message.BuildResolved(build, resolved, failure));
      case Order.Drain() -> {
        // What was granted goes first, or it would wait in vain.
        if (!tasks.anyResolving()) {
          say(ToMachine.newBuilder().setDrain(Drain.getDefaultInstance()).build());
        }
      }
    }
    return Behaviors.same();
  }

  private void start(Launch launch) {
    TaskId task = launch.task();
    if (around.door().retiring() || !tasks.begin(launch)) {
      return;
    }
    context.pipeToSelf(
        around.resolver().resolve(launch, builds.images()::contains),
        (start, failure) -> new Message.Resolved(task, start, failure));
  }

  private Behavior<Message> resolved(
      TaskId task, @Nullable StartContainer start, @Nullable Throwable failure) {
    Launch launch = tasks.resolved(task);
    MachineId on = machine;
    Hello said = hello;
    if (launch == null || on == null || said == null) {
      return Behaviors.same();
    }
    if (start != null) {
      tasks.given(launch);
      var of = launch.definition();
      around
          .tasks()
          .starting(
              on,
              new Caller.Task(task, of.function(), of.app(), of.environment(), said.getBlobUrl()));
      builds.begins(task.value(), start.getImage(), on, said.getBlobUrl());
      StartContainer order = carrier.known() == null ? start : around.proofs().sign(on, start);
      return say(ToMachine.newBuilder().setStart(order).build());
    }
    Throwable why =
        failure == null ? new IllegalStateException("no order") : Failures.unwrapped(failure);
    if (why instanceof TimeoutException || why instanceof BlobStore.Away) {
      // The order is restated, and by then the entity or the store may be there.
      LOG.info("Container {} can't be started yet: {}", task, why.getMessage());
      return Behaviors.same();
    }
    neverStarted(launch, LaunchResolver.sentence(task, why));
    return Behaviors.same();
  }

  private Behavior<Message> buildResolved(
      Order.BuildImage build, @Nullable BuildImage resolved, @Nullable Throwable failure) {
    MachineId on = machine;
    Hello said = hello;
    if (resolved != null && on != null && said != null) {
      builds.begins(resolved.getBuildId(), resolved.getImage(), on, said.getBlobUrl());
      BuildImage order = carrier.known() == null ? resolved : around.proofs().sign(on, resolved);
      return say(ToMachine.newBuilder().setBuild(order).build());
    }
    builds.unresolved(build, failure);
    return Behaviors.same();
  }

  private void neverStarted(Launch launch, String why) {
    TaskReport report = LinkMessages.neverStarted(launch, why);
    remember(report);
    tell(new NodeProtocol.TaskChanged(linkId, report));
  }

  private void stop(TaskId task, Duration grace) {
    Launch notGiven = tasks.stop(task, grace);
    if (notGiven != null) {
      neverStarted(notGiven, "It was stopped before it was started.");
      return;
    }
    say(
        ToMachine.newBuilder()
            .setStop(
                StopContainer.newBuilder()
                    .setTaskId(task.value())
                    .setGraceMs((int) Math.min(Integer.MAX_VALUE, grace.toMillis())))
            .build());
  }

  // ---- keeping it up

  private Behavior<Message> restate() {
    Hello said = hello;
    if (said != null) {
      tell(
          new NodeProtocol.Connected(
              linkId,
              LinkMessages.capacity(said.getCapacity()),
              Map.copyOf(said.getLabelsMap()),
              said.getBlobUrl(),
              tasks.reports(),
              tasks.pending(),
              List.copyOf(builds.images()),
              LinkMessages.condition(condition),
              orders));
    }
    return Behaviors.same();
  }

  private Behavior<Message> beat() {
    if (watch.isLost(carrier.silence().get(), System.nanoTime())) {
      return close("The agent has been silent for %d s.".formatted(SILENCE.toSeconds()));
    }
    return say(ToMachine.newBuilder().setPing(Ping.newBuilder().setNumber(++beats)).build());
  }

  private Behavior<Message> say(ToMachine message) {
    carrier.inbox().accept(message);
    return Behaviors.same();
  }

  private void tell(NodeProtocol.Command command) {
    if (machine != null) {
      around.entities().machine(machine).tell(command);
    }
  }

  private Behavior<Message> close(String why) {
    end = why;
    return Behaviors.stopped();
  }

  /** Whatever ended it: all who hold on to it are told. */
  private void closed() {
    closed = true;
    departures.close();
    door.close();
    builds.close();
    if (machine != null) {
      around.open().remove(machine, context.getSelf());
      around.relay().lost(machine, speaker);
      tell(new NodeProtocol.Disconnected(linkId, end, carrier.silence().get()));
      LOG.info("The link of machine {} has ended: {}", machine, end);
    }
    carrier.lost().accept(end);
  }
}
