package dev.troupe.node.image;

import dev.troupe.node.image.oci.LocalImages;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes, once in a while, what failed builds and moved tags left behind and nobody built upon
 * since. While somebody builds it passes; the next time comes.
 */
public final class LayerSweeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LayerSweeper.class);
  private static final Duration SELDOM = Duration.ofHours(1);
  private static final Duration OFTEN = Duration.ofSeconds(1);

  private final LocalImages images;
  private final Duration age;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("layer-sweeper").factory());

  private LayerSweeper(LocalImages images, Duration age) {
    this.images = images;
    this.age = age;
  }

  /** Keeps layers that no image names no longer than {@code age}. */
  public static LayerSweeper start(LocalImages images, Duration age) {
    LayerSweeper sweeper = new LayerSweeper(images, age);
    // An age of seconds is for trying it out; it is swept as often as that asks for.
    Duration tenth = age.dividedBy(10);
    Duration pause =
        tenth.compareTo(SELDOM) > 0 ? SELDOM : tenth.compareTo(OFTEN) < 0 ? OFTEN : tenth;
    var unused =
        sweeper.timer.scheduleWithFixedDelay(
            sweeper::sweep, pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
    return sweeper;
  }

  private void sweep() {
    try {
      Optional<LocalImages.Freed> freed = images.sweep(age);
      freed
          .filter(some -> !some.layers().isEmpty())
          .ifPresent(
              some ->
                  LOG.info(
                      "{} layers that no image names are removed, {} bytes",
                      some.layers().size(),
                      some.bytes()));
    } catch (IOException | RuntimeException failure) {
      LOG.warn("layers that no image names could not be removed", failure);
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
