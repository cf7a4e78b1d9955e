package dev.troupe.gateway.link;

import com.google.protobuf.ByteString;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.protocol.link.Condition;
import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.ResourceShare;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The words of the link in those of the entities, and back. */
final class LinkMessages {

  private LinkMessages() {}

  static Layer.Builder layer(ImageProtocol.Layer layer) {
    return Layer.newBuilder()
        .setImageId(layer.image().value())
        .setDefinition(ByteString.copyFrom(layer.definition()))
        .setBuilderVersion(layer.builderVersion())
        .setFresh(layer.anew() ? layer.image().value() : "");
  }

  static ResourceShare share(NodeProtocol.Share share) {
    return ResourceShare.newBuilder()
        .setMilliCpu(share.cpuMillis())
        .setMemoryBytes(share.memoryBytes())
        .addAllGpus(share.gpus())
        .build();
  }

  private static NodeProtocol.Share share(ResourceShare share) {
    return new NodeProtocol.Share(
        share.getMilliCpu(), share.getMemoryBytes(), List.copyOf(share.getGpusList()));
  }

  static NodeProtocol.Capacity capacity(dev.troupe.protocol.link.Capacity capacity) {
    return new NodeProtocol.Capacity(
        capacity.getMilliCpu(), capacity.getMemoryBytes(), List.copyOf(capacity.getGpusList()));
  }

  static NodeProtocol.Condition condition(Condition condition) {
    return new NodeProtocol.Condition(
        condition.getMilliLoad() / 1000.0,
        condition.getDiskBytes(),
        condition.getDiskFreeBytes(),
        condition.getDraining());
  }

  /**
   * A container as its agent sees it.
   *
   * @param known its share, where the report has none
   */
  static NodeProtocol.TaskReport task(ContainerReport report, NodeProtocol.@Nullable Share known) {
    NodeProtocol.Share share =
        report.hasShare() || known == null ? share(report.getShare()) : known;
    return new NodeProtocol.TaskReport(
        new TaskId(report.getTaskId()),
        new FunctionId(report.getFunctionId()),
        new AppId(report.getAppId()),
        report.getState() == ContainerReport.State.RUNNING,
        ending(report),
        share);
  }

  /** A container that was ordered and can never be. */
  static NodeProtocol.TaskReport neverStarted(NodeProtocol.Launch launch, String why) {
    return new NodeProtocol.TaskReport(
        launch.task(),
        launch.definition().function(),
        launch.definition().app(),
        false,
        new Ending.NeverStarted(why),
        launch.share());
  }

  private static @Nullable Ending ending(ContainerReport report) {
    if (report.getState() != ContainerReport.State.ENDED) {
      return null;
    }
    return report.getStartFailure().isEmpty()
        ? new Ending.Exited(report.getExitCode(), report.getSignal(), report.getOutOfMemory())
        : new Ending.NeverStarted(report.getStartFailure());
  }

  static ImageProtocol.Line line(LogLine line) {
    return new ImageProtocol.Line(
        line.getNumber(),
        Instant.EPOCH.plus(line.getTimeUs(), ChronoUnit.MICROS),
        line.getStream(),
        line.getText());
  }

  /** Who a container that the machine had before is. */
  static Caller.Task caller(TaskReport task, AppView app, String blobUrl) {
    return new Caller.Task(task.task(), task.function(), app.app(), app.environment(), blobUrl);
  }
}
