package dev.troupe.actors.node;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Advertises one machine: at once when it changed, but no more often than every 100 ms, and every 5
 * s whether it changed or not. Used on the machine's thread alone.
 */
final class Advertiser {

  static final Duration LEAST_INTERVAL = Duration.ofMillis(100);
  static final Duration RENEWAL = Duration.ofSeconds(5);

  /** What is advertised. */
  private record Content(
      boolean linked,
      Capacity capacity,
      Capacity free,
      List<ImageId> images,
      Map<String, String> labels) {}

  private final MachineId machine;
  private final Adverts adverts;
  private final Consumer<Duration> wake;
  private @Nullable Content shown;
  private @Nullable Content published;
  private Instant publishedAt = Instant.EPOCH;
  private boolean waiting;

  // From the time on, so that adverts of an entity on another process are older, or newer.
  private long revision;

  /** An advertiser that is called {@link #due} as long after {@code wake} as that says. */
  Advertiser(MachineId machine, Adverts adverts, Consumer<Duration> wake, Instant now) {
    this.machine = machine;
    this.adverts = adverts;
    this.wake = wake;
    this.revision = now.toEpochMilli() * 1_000;
  }

  /**
   * Shows the machine as it is now; one that was never connected is not advertised.
   *
   * @param open whether it takes containers
   */
  void show(
      NodeState state,
      boolean open,
      List<ImageId> images,
      Map<String, String> labels,
      Instant now) {
    Content content =
        new Content(
            state.isLinked() && open,
            state.ledger().capacity(),
            state.ledger().free(),
            images,
            labels);
    if (shown == null && !content.linked()) {
      return;
    }
    shown = content;
    Instant earliest = publishedAt.plus(LEAST_INTERVAL);
    if (waiting || content.equals(published)) {
      return;
    }
    if (now.isBefore(earliest)) {
      waiting = true;
      wake.accept(Duration.between(now, earliest));
    } else {
      publish(content, now);
    }
  }

  /** Says what waited for its time. */
  void due(Instant now) {
    waiting = false;
    if (shown != null && !shown.equals(published)) {
      publish(shown, now);
    }
  }

  /** Says it again, so that it is known to be true still. */
  void renew(Instant now) {
    if (shown != null && !now.isBefore(publishedAt.plus(RENEWAL))) {
      publish(shown, now);
    }
  }

  private void publish(Content content, Instant now) {
    published = content;
    publishedAt = now;
    revision++;
    adverts.publish(
        new MachineAdvert(
            machine,
            revision,
            content.linked(),
            content.capacity(),
            content.free(),
            content.images(),
            content.labels()));
  }
}
