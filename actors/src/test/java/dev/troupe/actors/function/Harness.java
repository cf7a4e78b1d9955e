package dev.troupe.actors.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.Define;
import dev.troupe.actors.function.FunctionProtocol.Defined;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.function.FunctionProtocol.Publish;
import dev.troupe.actors.function.FunctionProtocol.Published;
import dev.troupe.actors.function.FunctionProtocol.Report;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Reported;
import dev.troupe.actors.function.FunctionProtocol.Stopped;
import dev.troupe.actors.function.FunctionProtocol.Submit;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Grant;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.StopTask;
import dev.troupe.actors.placement.MachineAdvert;
import dev.troupe.actors.placement.PlacementProtocol;
import dev.troupe.actors.testing.InMemoryCallLog;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.ManualSystem;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;

/**
 * One function and all that surrounds it: probes for the others, a clock and timers moved by hand,
 * a call log in memory. Containers are played by the test.
 */
final class Harness {

  static final Duration SHORT = Duration.ofMillis(100);
  static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration TICK = Duration.ofMillis(250);
  private static final AtomicInteger NAMES = new AtomicInteger();

  final ManualSystem system;
  final FunctionId id;
  final InMemoryCallLog log = new InMemoryCallLog();
  final InMemoryDirectory directory = new InMemoryDirectory();
  final List<MachineAdvert> machines = new CopyOnWriteArrayList<>();
  final TestProbe<AppProtocol.Command> app;
  final TestProbe<NodeProtocol.Command> machine;
  final TestProbe<PlacementProtocol.Command> pool;
  final TestProbe<ShardCommand> shard;
  final TestProbe<SubmitReply> submits;
  final TestProbe<AwaitReply> awaits;
  final TestProbe<LeaseReply> leases;
  final TestProbe<ReportReply> reports;
  final TestProbe<Beaten> beats;
  final TestProbe<Stopped> stops;
  private final TestProbe<Defined> defined;
  private final TestProbe<Published> published;
  private final AtomicInteger tasks = new AtomicInteger();
  private final AtomicInteger polls = new AtomicInteger();
  private FunctionSettings settings =
      new FunctionSettings(
          1_000, 10_000, Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofMinutes(2));
  ActorRef<Command> function;

  Harness(ManualSystem system) {
    this.system = system;
    this.id = Samples.function("harness " + NAMES.incrementAndGet());
    this.app = system.kit().createTestProbe();
    this.machine = system.kit().createTestProbe();
    this.pool = system.kit().createTestProbe();
    this.shard = system.kit().createTestProbe();
    this.submits = system.kit().createTestProbe();
    this.awaits = system.kit().createTestProbe();
    this.leases = system.kit().createTestProbe();
    this.reports = system.kit().createTestProbe();
    this.beats = system.kit().createTestProbe();
    this.stops = system.kit().createTestProbe();
    this.defined = system.kit().createTestProbe();
    this.published = system.kit().createTestProbe();
    machines.add(Samples.advert(Samples.M));
    this.function = spawn();
  }

  Harness settings(FunctionSettings other) {
    settings = other;
    restart();
    return this;
  }

  private ActorRef<Command> spawn() {
    World.Mail mail =
        new World.Mail() {
          @Override
          public void app(AppId to, AppProtocol.Command command) {
            app.ref().tell(command);
          }

          @Override
          public void machine(MachineId to, NodeProtocol.Command command) {
            machine.ref().tell(command);
          }

          @Override
          public void pool(String to, PlacementProtocol.Command command) {
            pool.ref().tell(command);
          }
        };
    World world =
        new World(
            log,
            () -> machines,
            directory,
            mail,
            system.clock(),
            () -> Samples.task(id + " " + tasks.incrementAndGet()),
            settings);
    return system.kit().spawn(FunctionActor.create(id, world, shard.ref()));
  }

  /** Kills it, and starts it again as its journal and call log have it. */
  void restart() {
    kill();
    function = spawn();
  }

  /** Stops it without a word. */
  void kill() {
    system.kit().stop(function, PATIENCE);
  }

  /** Starts a second owner beside the first, as after a split. */
  ActorRef<Command> second() {
    return spawn();
  }

  // ---- the app

  Samples.Definition define() {
    return new Samples.Definition(id);
  }

  /** Defines and publishes. */
  Harness publish(FunctionDefinition definition, int version) {
    function.tell(new Define(definition, defined.ref()));
    defined.expectMessageClass(Defined.class);
    function.tell(new Publish(version, 0, false, published.ref()));
    published.expectMessageClass(Published.class);
    return this;
  }

  Harness publish() {
    return publish(Samples.definition(id), 1);
  }

  /** The next word to the app that is wanted; others before it are passed over. */
  <T extends AppProtocol.Item> T news(Class<T> kind, Predicate<T> wanted) {
    return awaitMessage(
        app,
        message ->
            Optional.of(message)
                .filter(AppProtocol.Tell.class::isInstance)
                .map(tell -> ((AppProtocol.Tell) tell).item())
                .filter(kind::isInstance)
                .map(kind::cast)
                .filter(wanted));
  }

  /** The first message that {@code pick} makes something of. */
  static <M, T> T awaitMessage(TestProbe<M> probe, Function<M, Optional<T>> pick) {
    for (int i = 0; i < 1_000; i++) {
      Optional<T> picked = pick.apply(probe.receiveMessage());
      if (picked.isPresent()) {
        return picked.get();
      }
    }
    throw new AssertionError("a thousand messages, and not the one");
  }

  // ---- callers

  CallId call(String name) {
    return Samples.call(id, name);
  }

  void submit(CallRow call, NewInput... inputs) {
    function.tell(new Submit(call, List.of(inputs), submits.ref()));
  }

  /** Submits, and expects it to be taken. */
  CallId accepted(CallRow call, NewInput... inputs) {
    submit(call, inputs);
    submits.expectMessage(new SubmitReply.Accepted(call.call()));
    return call.call();
  }

  CallId spawn(String name) {
    return accepted(Samples.unary(call(name), CallRow.Invocation.ASYNC), Samples.input(0));
  }

  CallId remote(String name) {
    return accepted(Samples.unary(call(name), CallRow.Invocation.SYNC), Samples.input(0));
  }

  void get(CallId call, Duration patience, boolean clear) {
    function.tell(new Await(call, new Wanted.Range(0, 0), 100, clear, patience, awaits.ref()));
  }

  void after(CallId call, OutputNumber number, Duration patience) {
    function.tell(new Await(call, new Wanted.After(number), 100, false, patience, awaits.ref()));
  }

  AwaitReply.Outputs outputs() {
    return awaits.expectMessageClass(AwaitReply.Outputs.class);
  }

  OutputRow output() {
    List<OutputRow> outputs = outputs().outputs();
    assertThat(outputs).hasSize(1);
    return outputs.getFirst();
  }

  static String text(OutputRow output) {
    return output.result() == null || output.result().inline() == null
        ? output.message()
        : new String(output.result().inline(), StandardCharsets.UTF_8);
  }

  // ---- machines and containers

  /** The next container that is asked for; the machine grants it and starts it. */
  TaskId started() {
    Grant grant = expectGrant();
    TaskId task = grant.launch().task();
    grant.replyTo().tell(new GrantReply.Granted(task, Samples.M));
    function.tell(new FunctionProtocol.ContainerStarted(task, Samples.M));
    return task;
  }

  Grant expectGrant() {
    return awaitMessage(
        machine, message -> message instanceof Grant grant ? Optional.of(grant) : Optional.empty());
  }

  StopTask expectStop(TaskId task) {
    return awaitMessage(
        machine,
        message ->
            message instanceof StopTask stop && stop.task().equals(task)
                ? Optional.of(stop)
                : Optional.empty());
  }

  /** What machines have been told so far and nobody has looked at. */
  List<NodeProtocol.Command> saidToMachines() {
    quiesce();
    NodeProtocol.Command last = new NodeProtocol.ReportContainers(Samples.function("the last"));
    machine.ref().tell(last);
    List<NodeProtocol.Command> said = new ArrayList<>();
    for (var next = machine.receiveMessage(); !next.equals(last); next = machine.receiveMessage()) {
      said.add(next);
    }
    return said;
  }

  /** Asks for inputs as a container does. */
  String poll(TaskId task) {
    return poll(task, 1);
  }

  String poll(TaskId task, int most) {
    String key = "poll " + polls.incrementAndGet();
    function.tell(new Lease(task, key, most, Duration.ofSeconds(5), leases.ref()));
    return key;
  }

  LeasedInput leased() {
    List<LeasedInput> items = leases.expectMessageClass(LeaseReply.Items.class).items();
    assertThat(items).hasSize(1);
    return items.getFirst();
  }

  /** Asks for an input and gets one. */
  LeasedInput lease(TaskId task) {
    poll(task);
    return leased();
  }

  void report(TaskId task, LeasedInput input, int status, String text) {
    function.tell(
        new Report(
            task,
            List.of(
                new Reported(
                    input.input(),
                    status,
                    Samples.payload(text),
                    1,
                    input.attempt(),
                    null,
                    system.clock().instant())),
            reports.ref()));
  }

  /** Reports a result, and expects it to be taken. */
  void succeed(TaskId task, LeasedInput input, String text) {
    report(task, input, Status.SUCCESS, text);
    reports.expectMessage(new ReportReply.Taken());
  }

  void ended(TaskId task, FunctionProtocol.Ending ending) {
    function.tell(new FunctionProtocol.ContainerEnded(task, Samples.M, ending));
  }

  void beat(TaskId task) {
    function.tell(new Beat(task, Duration.ofSeconds(14), beats.ref()));
  }

  /** Lets time pass in steps. */
  void pass(Duration span) {
    Duration left = span;
    Duration step = TICK.compareTo(span.dividedBy(10)) < 0 ? span.dividedBy(10) : TICK;
    while (left.compareTo(Duration.ZERO) > 0) {
      Duration now = left.compareTo(step) < 0 ? left : step;
      system.pass(now);
      left = left.minus(now);
    }
  }

  /** Whatever it still has to say has been said when this returns. */
  void quiesce() {
    system.settle();
  }

  int containers() {
    TestProbe<FunctionProtocol.Containers> probe = system.kit().createTestProbe();
    function.tell(new FunctionProtocol.ListContainers(probe.ref()));
    return probe.expectMessageClass(FunctionProtocol.Containers.class).containers().size();
  }

  /** The log answers the next write so. */
  void refuse(Written refusal) {
    log.refuseNext(refusal);
  }
}
