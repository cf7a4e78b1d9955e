package dev.troupe.node;

import dev.troupe.protocol.link.BuildEnd;
import dev.troupe.protocol.link.BuildReport;
import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.ControlPlane;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.ToMachine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A control plane that writes down what it hears, and says what a test says. */
final class RecordingControlPlane implements ControlPlane {

  private final List<FromMachine> heard = new ArrayList<>();
  private @Nullable Consumer<ToMachine> inbox;
  private @Nullable Consumer<String> lost;

  @Override
  public synchronized Link dial(Consumer<ToMachine> toAgent, Consumer<String> onLost) {
    inbox = toAgent;
    lost = onLost;
    notifyAll();
    return new Link() {
      @Override
      public void send(FromMachine message) {
        hear(message);
      }

      @Override
      public void close() {}
    };
  }

  private synchronized void hear(FromMachine message) {
    heard.add(message);
    notifyAll();
  }

  void say(ToMachine message) {
    Consumer<ToMachine> to;
    synchronized (this) {
      to = inbox;
    }
    if (to != null) {
      to.accept(message);
    }
  }

  void breakLink() {
    Consumer<String> to;
    synchronized (this) {
      to = lost;
      inbox = null;
    }
    if (to != null) {
      to.accept("cut by the test");
    }
  }

  /** Waits for the first message that says something. */
  synchronized <T> T await(Duration limit, Function<FromMachine, Optional<T>> what)
      throws Exception {
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      for (FromMachine message : heard) {
        Optional<T> found = what.apply(message);
        if (found.isPresent()) {
          return found.get();
        }
      }
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        throw new TimeoutException("not heard within " + limit + " in " + heard);
      }
      wait(Math.max(1, left / 1_000_000));
    }
  }

  ContainerReport awaitContainer(Duration limit, String task, ContainerReport.State state)
      throws Exception {
    return await(
        limit,
        message ->
            Optional.of(message)
                .filter(FromMachine::hasContainer)
                .map(FromMachine::getContainer)
                .filter(report -> report.getTaskId().equals(task) && report.getState() == state));
  }

  BuildEnd awaitBuild(Duration limit, String build) throws Exception {
    return await(
        limit,
        message ->
            Optional.of(message)
                .filter(FromMachine::hasBuild)
                .map(FromMachine::getBuild)
                .filter(report -> report.getBuildId().equals(build) && report.hasEnd())
                .map(BuildReport::getEnd));
  }

  synchronized long count(Predicate<FromMachine> which) {
    return heard.stream().filter(which).count();
  }

  synchronized String buildLog() {
    StringBuilder text = new StringBuilder();
    for (FromMachine message : heard) {
      message.getBuild().getLinesList().forEach(line -> text.append(line.getText()));
    }
    return text.toString();
  }

  synchronized List<LogBatch> batches() {
    return heard.stream().filter(FromMachine::hasLogs).map(FromMachine::getLogs).toList();
  }
}
