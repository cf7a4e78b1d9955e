package dev.troupe.node.image;

import dev.troupe.node.image.oci.LocalImages;
import dev.troupe.node.linux.AgeTimer;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes, once in a while, what failed builds and moved tags left behind and nobody built upon
 * since. While somebody builds it passes; the next time comes.
 */
public final class LayerSweeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LayerSweeper.class);

  private final LocalImages images;
  private final Duration age;
  private final AgeTimer timer;

  private LayerSweeper(LocalImages images, Duration age) {
    this.images = images;
    this.age = age;
    this.timer = new AgeTimer("layer-sweeper", age);
  }

  /** Keeps layers that no image names no longer than {@code age}. */
  public static LayerSweeper start(LocalImages images, Duration age) {
    LayerSweeper sweeper = new LayerSweeper(images, age);
    sweeper.timer.startLater(sweeper::sweep);
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
    timer.close();
  }
}
