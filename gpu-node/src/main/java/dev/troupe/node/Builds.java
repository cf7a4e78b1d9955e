package dev.troupe.node;

import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageRecord;
import dev.troupe.node.image.Images;
import dev.troupe.node.log.LogBook;
import dev.troupe.protocol.link.BuildEnd;
import dev.troupe.protocol.link.BuildImage;
import dev.troupe.protocol.link.BuildReport;
import dev.troupe.protocol.link.LogLine;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The builds that the control plane has ordered, a virtual thread each. */
final class Builds {

  private static final Logger LOG = LoggerFactory.getLogger(Builds.class);
  private static final int PLATFORM = 3;

  private final Images images;
  private final LogBook lines;
  private final Consumer<BuildReport> reports;
  private final Map<String, Thread> running = new ConcurrentHashMap<>();
  private volatile boolean closed;

  Builds(Images images, LogBook lines, Consumer<BuildReport> reports) {
    this.images = images;
    this.lines = lines;
    this.reports = reports;
  }

  /** Begins a build; a repeat under its id changes nothing. */
  void begin(BuildImage order) {
    Thread thread =
        Thread.ofVirtual().name("build-" + order.getBuildId()).unstarted(() -> build(order));
    if (running.putIfAbsent(order.getBuildId(), thread) == null) {
      thread.start();
    }
  }

  /** Gives a build up. */
  void cancel(String buildId) {
    Thread thread = running.get(buildId);
    if (thread != null) {
      thread.interrupt();
    }
  }

  /**
   * Gives all of them up and waits for their end, of which nobody is told: they begin anew on
   * another machine, or on this one's return.
   */
  void close() {
    closed = true;
    running.values().forEach(Thread::interrupt);
    for (Thread thread : running.values()) {
      try {
        thread.join(10_000);
      } catch (InterruptedException hurry) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private void build(BuildImage order) {
    BuildEnd end;
    try {
      ImageRecord image = images.build(order.getImage(), text -> line(order, text));
      end =
          BuildEnd.newBuilder()
              .setPythonVersion(image.pythonVersion())
              .setWorkdir(image.workingDirectory())
              .setLibcVersion(image.libcVersion())
              .build();
    } catch (BuildFailure failure) {
      end = failed(String.valueOf(failure.getMessage()));
    } catch (IOException | RuntimeException failure) {
      LOG.warn("build {} failed", order.getBuildId(), failure);
      end = failed("the machine could not build the image: " + failure.getMessage());
    } catch (InterruptedException cancelled) {
      end = failed("the build was cancelled");
    } finally {
      running.remove(order.getBuildId());
    }
    if (closed && !end.getFailure().isEmpty()) {
      return;
    }
    if (!end.getFailure().isEmpty()) {
      // Those who follow the build hear of it by its end.
      keep(order, end.getFailure() + "\n");
    }
    lines.buildEnded(imageId(order));
    reports.accept(BuildReport.newBuilder().setBuildId(order.getBuildId()).setEnd(end).build());
  }

  private static BuildEnd failed(String why) {
    return BuildEnd.newBuilder().setFailure(why).build();
  }

  private void line(BuildImage order, String text) {
    reports.accept(
        BuildReport.newBuilder()
            .setBuildId(order.getBuildId())
            .addLines(keep(order, text))
            .build());
  }

  private LogLine keep(BuildImage order, String text) {
    return lines.keep(
        imageId(order), ImageProtocol.Run.task(order.getBuildId()).value(), PLATFORM, text);
  }

  /** The image that was ordered; those below it are built on the way where they are not here. */
  private static String imageId(BuildImage order) {
    return order.getImage().getLayersList().getLast().getImageId();
  }
}
