package dev.troupe.node;

import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.ContainerReport.State;
import dev.troupe.protocol.link.StartContainer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the agent knows of its containers: pure. A container is known from the order to start it
 * until long after its end, so that a repeated order changes nothing and a new link hears all.
 *
 * @param reports the last word on each container, in the order they came
 */
record AgentState(Map<String, ContainerReport> reports) {

  /** Ended containers that are remembered; a link restated these many at most. */
  static final int ENDED_KEPT = 500;

  static final AgentState EMPTY = new AgentState(Map.of());

  AgentState {
    reports = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(reports));
  }

  /** A state, and what is to be told of it; nothing where nothing changed. */
  record Step(AgentState next, Optional<ContainerReport> news) {}

  /** An order to start: news only where the container was unknown. */
  Step start(StartContainer order) {
    if (reports.containsKey(order.getTaskId())) {
      return new Step(this, Optional.empty());
    }
    return with(
        ContainerReport.newBuilder()
            .setTaskId(order.getTaskId())
            .setFunctionId(order.getFunctionId())
            .setAppId(order.getAppId())
            .setShare(order.getShare())
            .setProof(order.getProof())
            .setState(State.STARTING)
            .build());
  }

  /** The process exists. */
  Step running(String taskId) {
    return change(taskId, Set.of(State.STARTING), report -> report.setState(State.RUNNING));
  }

  /** The process is over. */
  Step ended(String taskId, int code, int signal, boolean outOfMemory) {
    return change(
        taskId,
        Set.of(State.STARTING, State.RUNNING),
        report ->
            report
                .setState(State.ENDED)
                .setExitCode(code)
                .setSignal(signal)
                .setOutOfMemory(outOfMemory));
  }

  /** There never was a process. */
  Step failedToStart(String taskId, String why) {
    return change(
        taskId,
        Set.of(State.STARTING),
        report -> report.setState(State.ENDED).setExitCode(-1).setStartFailure(why));
  }

  /** Whether this container is on its way or there. */
  boolean lives(String taskId) {
    ContainerReport report = reports.get(taskId);
    return report != null && report.getState() != State.ENDED;
  }

  /** Whether some container of the agent is on its way or there. */
  boolean anyLives() {
    return reports.values().stream().anyMatch(report -> report.getState() != State.ENDED);
  }

  /** All that a new link must hear. */
  Collection<ContainerReport> restated() {
    return List.copyOf(reports.values());
  }

  private interface Change {
    ContainerReport.Builder apply(ContainerReport.Builder report);
  }

  private Step change(String taskId, Set<State> from, Change change) {
    ContainerReport report = reports.get(taskId);
    if (report == null || !from.contains(report.getState())) {
      return new Step(this, Optional.empty());
    }
    return with(change.apply(report.toBuilder()).build());
  }

  private Step with(ContainerReport report) {
    Map<String, ContainerReport> next = new LinkedHashMap<>(reports);
    next.put(report.getTaskId(), report);
    long ended = next.values().stream().filter(known -> known.getState() == State.ENDED).count();
    var oldest = next.values().iterator();
    while (ended > ENDED_KEPT && oldest.hasNext()) {
      if (oldest.next().getState() == State.ENDED) {
        oldest.remove();
        ended--;
      }
    }
    return new Step(new AgentState(next), Optional.of(report));
  }
}
