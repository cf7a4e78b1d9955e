package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog.Loaded;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.FromCaller;
import dev.troupe.actors.function.FunctionProtocol.FromContainer;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.jspecify.annotations.Nullable;

/** One owner of the simulated function: does with its {@link Workings} what the actor does. */
final class SimOwner {

  private final Simulation simulation;
  private final TestInbox<GrantReply> grants = TestInbox.create();
  private final List<Command> stash = new ArrayList<>();
  private @Nullable Workings workings;
  private boolean dead;
  private boolean leaving;
  private @Nullable Runnable gone;

  // What the log answered arrives in order.
  private Instant lastArrival = Instant.MIN;

  SimOwner(Simulation simulation) {
    this.simulation = simulation;
    long epoch = simulation.log.claim(Simulation.F).toCompletableFuture().join();
    simulation.after(simulation.between(1, 300), () -> load(epoch));
  }

  boolean alive() {
    return !dead;
  }

  private void load(long epoch) {
    World world = simulation.world();
    Loaded found =
        simulation
            .log
            .load(
                Simulation.F,
                simulation.now().minus(world.settings().recentCalls()),
                world.settings().headLimit())
            .toCompletableFuture()
            .join();
    simulation.after(
        simulation.between(1, 300),
        () -> {
          Workings made =
              new Workings(
                  Simulation.F,
                  world,
                  () -> simulation.state,
                  epoch,
                  found.lastPosition(),
                  this::pipeWrite,
                  (await, stage) ->
                      stage.thenAccept(
                          recall ->
                              later(() -> serve(ready -> ready.recalled(await, recall, now())))),
                  grants.getRef());
          workings = made;
          if (!dead) {
            made.load(found, now());
            tick();
            List<Command> stashed = List.copyOf(stash);
            stash.clear();
            stashed.forEach(this::receive);
          }
        });
  }

  private Instant now() {
    return simulation.now();
  }

  private void pipeWrite(long ticket, CompletionStage<Written> stage) {
    stage.thenAccept(written -> later(() -> decided(ticket, written)));
  }

  private void later(Runnable what) {
    Instant arrival = now().plus(simulation.between(0, 3));
    lastArrival = arrival.isAfter(lastArrival) ? arrival : lastArrival;
    simulation.after(Duration.between(now(), lastArrival), what);
  }

  private void decided(long ticket, Written written) {
    Workings ready = workings;
    if (dead || ready == null) {
      return;
    }
    if (written instanceof Written.Fenced) {
      ready.fenced(now());
      dead = true;
      return;
    }
    if (!ready.decided(ticket, written, now())) {
      simulation.after(
          Duration.ofMillis(100),
          () -> {
            if (!dead) {
              ready.writeAgain(ticket);
            }
          });
    }
    settle(ready);
    leaveIfDone(ready);
  }

  private void serve(Consumer<Workings> work) {
    Workings ready = workings;
    if (!dead && ready != null && !leaving) {
      work.accept(ready);
      settle(ready);
    }
  }

  private void settle(Workings ready) {
    if (leaving) {
      return;
    }
    ready.settle(now());
    if (ready.beginsPage()) {
      var rows =
          simulation.log.waitingAfter(
              Simulation.F, ready.mailbox().headEnd(), simulation.world().settings().headLimit());
      rows.thenAccept(
          page ->
              simulation.after(
                  simulation.between(1, 50), () -> serve(at -> at.paged(page, now()))));
    }
    while (grants.hasMessages()) {
      grants.receiveMessage();
    }
  }

  void receive(Command command) {
    Workings ready = workings;
    if (dead) {
      return;
    }
    if (leaving) {
      Refusals.moving(command);
    } else if (ready == null) {
      stash.add(command);
    } else {
      switch (command) {
        case FromCaller caller -> serve(at -> at.caller(caller, now()));
        case FromContainer container -> serve(at -> at.container(container, now()));
        case FromMachine machine -> serve(at -> at.machine(machine, now()));
        case FunctionProtocol.FromApp _, FunctionActor.Internal _ ->
            throw new IllegalStateException("not simulated");
      }
    }
  }

  void granted(GrantReply reply) {
    serve(ready -> ready.granted(reply, now()));
  }

  private void tick() {
    if (dead || leaving) {
      return;
    }
    serve(ready -> ready.tick(now()));
    simulation.after(Duration.ofMillis(250), this::tick);
  }

  void definitionChanged() {
    serve(ready -> ready.definitionChanged(now()));
  }

  void kill() {
    dead = true;
  }

  void handOff(Runnable then) {
    gone = then;
    leaving = true;
    Workings ready = workings;
    if (ready == null) {
      dead = true;
      then.run();
      return;
    }
    ready.moved();
    leaveIfDone(ready);
  }

  private void leaveIfDone(Workings ready) {
    Runnable then = gone;
    if (leaving && then != null && !ready.writes()) {
      gone = null;
      dead = true;
      then.run();
    }
  }

  /** Nothing runs or waits any more: nothing may be left of it. */
  void checkAtRest() {
    Workings ready = workings;
    if (dead || ready == null) {
      simulation.violation("nobody owns the function");
      return;
    }
    if (ready.mailbox().unfinished() != 0 || ready.mailbox().running() != 0) {
      simulation.violation(
          "%d inputs unfinished, %d running"
              .formatted(ready.mailbox().unfinished(), ready.mailbox().running()));
    }
    if (!ready.containers().containers().isEmpty()) {
      simulation.violation("containers are left: " + ready.containers().containers());
    }
    if (ready.writes()) {
      simulation.violation("writes are under way");
    }
  }
}
