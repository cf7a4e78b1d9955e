package dev.troupe.actors.node;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Placed;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One container's part of a machine.
 *
 * @param launch the order that made it; null where the agent reported it and nobody here knew it
 * @param since when it was granted or first reported
 * @param stopGrace set once it is to stop: how long it may take
 * @param missingSince when a full report first came without it; null while reports show it
 */
record Holding(
    TaskId task,
    FunctionId function,
    AppId app,
    Share share,
    @Nullable Launch launch,
    Standing standing,
    Instant since,
    @Nullable Duration stopGrace,
    @Nullable Instant missingSince) {

  /** What is known of the container. */
  enum Standing {
    /** Granted; no report has shown it. */
    ORDERED,
    /** The agent has it and makes it ready. */
    THERE,
    /** Its process runs. */
    RUNNING,
    /** Its function was told that it is gone: whatever becomes of it, it is to end. */
    LOST
  }

  /** A container that was granted just now. */
  static Holding granted(Launch launch, Instant now) {
    return new Holding(
        launch.task(),
        launch.definition().function(),
        launch.definition().app(),
        launch.share(),
        launch,
        Standing.ORDERED,
        now,
        null,
        null);
  }

  /** A container that the agent has, whoever ordered it. */
  static Holding reported(TaskReport report, Instant now) {
    return new Holding(
        report.task(),
        report.function(),
        report.app(),
        report.share(),
        null,
        report.running() ? Standing.RUNNING : Standing.THERE,
        now,
        null,
        null);
  }

  /** The same container as a report shows it: it never goes back, and what is lost stays lost. */
  Holding seen(TaskReport report) {
    Standing shown = report.running() ? Standing.RUNNING : Standing.THERE;
    return with(shown.compareTo(standing) > 0 ? shown : standing, stopGrace, null);
  }

  /** The same container, to stop within {@code grace} or what was asked before. */
  Holding stopping(Duration grace) {
    boolean sooner = stopGrace == null || grace.compareTo(stopGrace) < 0;
    return with(standing, sooner ? grace : stopGrace, missingSince);
  }

  /** The same container, given up. */
  Holding lost(Duration grace) {
    return stopping(grace).with(Standing.LOST, missingSince);
  }

  /** The same container, not in a full report. */
  Holding missing(Instant now) {
    return missingSince == null ? with(standing, stopGrace, now) : this;
  }

  /** Whether a full report ought to show it. */
  boolean isExpected() {
    return standing != Standing.ORDERED || stopGrace != null;
  }

  private Holding with(Standing next, @Nullable Instant missing) {
    return with(next, stopGrace, missing);
  }

  private Holding with(Standing next, @Nullable Duration grace, @Nullable Instant missing) {
    return new Holding(task, function, app, share, launch, next, since, grace, missing);
  }

  /** The container as listings show it. */
  Placed report() {
    return new Placed(
        new TaskReport(task, function, app, standing == Standing.RUNNING, null, share), since);
  }
}
