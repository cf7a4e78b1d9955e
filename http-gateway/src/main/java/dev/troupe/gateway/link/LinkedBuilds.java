package dev.troupe.gateway.link;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.service.Entities;
import dev.troupe.protocol.link.BuildImage;
import dev.troupe.protocol.link.BuildReport;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.StartContainer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds under way on the machine of one link, and the images that it has. Part of {@link
 * MachineLink}, which calls it from its own thread alone.
 */
final class LinkedBuilds {

  private static final Logger LOG = LoggerFactory.getLogger(LinkedBuilds.class);

  private final Entities entities;
  private final LaunchResolver resolver;
  private final TaskRegistry tasks;
  private final Map<String, Order.BuildImage> builds = new HashMap<>();
  private final Set<ImageId> images = new LinkedHashSet<>();

  /** Containers of functions that make layers, by what they are made for. */
  private final Map<String, List<TaskId>> functions = new HashMap<>();

  LinkedBuilds(Entities entities, LaunchResolver resolver, TaskRegistry tasks) {
    this.entities = entities;
    this.resolver = resolver;
    this.tasks = tasks;
  }

  /** The machine has an image. */
  void has(ImageId image) {
    images.add(image);
  }

  /** Images that the machine has. */
  Set<ImageId> images() {
    return Set.copyOf(images);
  }

  /** What the machine is to be told, with all that the build needs. */
  CompletionStage<BuildImage> order(Order.BuildImage order) {
    builds.put(order.build(), order);
    Set<ImageId> built = new LinkedHashSet<>(images);
    built.remove(order.image());
    return resolver
        .chain(order.layers(), order.build(), built::contains)
        .thenApply(
            chain -> BuildImage.newBuilder().setBuildId(order.build()).setImage(chain).build());
  }

  /**
   * A machine is about to make these layers: the functions that make some of them call as
   * containers until that {@link #isOver}.
   *
   * @param build for which it makes them: a build, or a container that needs them
   */
  void begins(String build, ImageChain chain, MachineId on, String blobUrl) {
    List<TaskId> callers = new ArrayList<>();
    for (Layer layer : chain.getLayersList()) {
      if (layer.hasBuildFunction()) {
        StartContainer start = layer.getBuildFunction();
        Caller.Task caller =
            new Caller.Task(
                new TaskId(start.getTaskId()),
                new FunctionId(start.getFunctionId()),
                new AppId(start.getAppId()),
                start.getEnvironmentName(),
                blobUrl);
        tasks.starting(on, caller);
        callers.add(caller.task());
      }
    }
    if (!callers.isEmpty()) {
      functions.put(build, callers);
    }
  }

  /** The layers are made, or will not be. */
  void isOver(String build) {
    List<TaskId> callers = functions.remove(build);
    if (callers != null) {
      callers.forEach(tasks::ended);
    }
  }

  /** The link is gone; builds that are wanted still are ordered anew over the next. */
  void close() {
    List.copyOf(functions.keySet()).forEach(this::isOver);
  }

  /** What a build needs could not be gathered. */
  void unresolved(Order.BuildImage order, @Nullable Throwable failure) {
    Throwable why =
        failure == null ? new IllegalStateException("no order") : Failures.unwrapped(failure);
    if (why instanceof TimeoutException) {
      // The order is restated, and by then the entity may be there.
      LOG.info("Image {} can't be built yet: {}", order.image(), why.getMessage());
      return;
    }
    if (!(why instanceof LaunchResolver.Unstartable)) {
      LOG.error("Image {} can't be built", order.image(), why);
    }
    builds.remove(order.build());
    tell(order, List.of(), null, String.valueOf(why.getMessage()));
  }

  /** The machine says how a build goes. */
  void said(BuildReport report) {
    Order.BuildImage order = builds.get(report.getBuildId());
    if (order == null) {
      return;
    }
    ImageProtocol.@Nullable ImageFacts built = null;
    String failure = null;
    if (report.hasEnd()) {
      builds.remove(report.getBuildId());
      isOver(report.getBuildId());
      var end = report.getEnd();
      if (end.getFailure().isEmpty()) {
        images.add(order.image());
        built =
            new ImageProtocol.ImageFacts(
                end.getPythonVersion(),
                end.getWorkdir(),
                end.getLibcVersion(),
                order.layers().getLast().builderVersion());
      } else {
        failure = end.getFailure();
      }
    }
    tell(order, report.getLinesList().stream().map(LinkMessages::line).toList(), built, failure);
  }

  private void tell(
      Order.BuildImage order,
      List<ImageProtocol.Line> lines,
      ImageProtocol.@Nullable ImageFacts built,
      @Nullable String failure) {
    entities
        .image(order.image())
        .tell(new ImageProtocol.BuildNews(order.build(), lines, built, failure));
  }
}
