package dev.troupe.gateway.link;

import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The containers of one link: what the agent has said of them, and what it was told to do and has
 * not said that it did. An order is on its way until a word of the agent shows it, so that a repeat
 * gives it no second time, and a counterpart that moved hears of it. Used from the link alone.
 */
final class LinkedTasks {

  private final Map<TaskId, TaskReport> reports = new LinkedHashMap<>();
  private final Map<TaskId, Launch> resolving = new LinkedHashMap<>();
  private final Map<TaskId, Launch> given = new LinkedHashMap<>();
  private final Map<TaskId, Duration> stopping = new LinkedHashMap<>();

  // ---- orders

  /** Takes up an order to start; false where it was taken up before. */
  boolean begin(Launch launch) {
    TaskId task = launch.task();
    return !reports.containsKey(task)
        && !given.containsKey(task)
        && resolving.putIfAbsent(task, launch) == null;
  }

  /** What the order needs was gathered, or was not to be had; null where it was stopped before. */
  @Nullable Launch resolved(TaskId task) {
    return resolving.remove(task);
  }

  /** The order goes to the agent. */
  void given(Launch launch) {
    given.put(launch.task(), launch);
  }

  /** Takes up an order to end; gives the order to start where the agent has not had it. */
  @Nullable Launch stop(TaskId task, Duration grace) {
    TaskReport report = reports.get(task);
    if (given.containsKey(task) || (report != null && report.ending() == null)) {
      stopping.put(task, grace);
    }
    return resolving.remove(task);
  }

  /** Whether what some order needs is still being gathered. */
  boolean anyResolving() {
    return !resolving.isEmpty();
  }

  /** Orders that no word of the agent shows. */
  List<Order> pending() {
    List<Order> orders = new ArrayList<>();
    resolving.values().forEach(launch -> orders.add(new Order.StartTask(launch)));
    given.values().forEach(launch -> orders.add(new Order.StartTask(launch)));
    stopping.forEach((task, grace) -> orders.add(new Order.EndTask(task, grace)));
    return List.copyOf(orders);
  }

  // ---- the agent's words

  /** What a container holds of the machine, where that is known here. */
  @Nullable Share share(TaskId task) {
    TaskReport report = reports.get(task);
    Launch launch = given.get(task);
    return report != null ? report.share() : launch != null ? launch.share() : null;
  }

  /** The agent, or the link in its place, says how a container is. */
  void said(TaskReport report) {
    reports.put(report.task(), report);
    given.remove(report.task());
    if (report.ending() != null) {
      stopping.remove(report.task());
    }
  }

  /** The end of a container was restated for long enough. */
  void forget(TaskId task) {
    reports.remove(task);
  }

  /** The last word on each container, ends of late included. */
  List<TaskReport> reports() {
    return List.copyOf(reports.values());
  }

  /** How many containers are there. */
  long live() {
    return reports.values().stream().filter(report -> report.ending() == null).count();
  }
}
