package dev.troupe.actors.function;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of containers that have ended, for those who ask about one later. Written beside
 * the end, which nobody waits for: at worst a crash in between leaves one unknown.
 */
public final class EndedContainers {

  /** How long an ended container is known. */
  public static final Duration KEPT = Duration.ofDays(7);

  /** Attribute: id of its app. */
  public static final String APP = "app";

  /** Attribute: id of its function. */
  public static final String FUNCTION = "function";

  /** Attribute: when it was wanted, an instant in ISO-8601. */
  public static final String WANTED_AT = "wanted-at";

  /** Attribute: when its process was first seen; absent where it never was. */
  public static final String STARTED_AT = "started-at";

  private static final Logger LOG = LoggerFactory.getLogger(EndedContainers.class);

  private EndedContainers() {}

  /** Takes note of an end. */
  static void note(Directory directory, Container container, Instant now) {
    FunctionDefinition definition = container.definition();
    Map<String, String> attributes = new HashMap<>();
    attributes.put(APP, definition.app().value());
    attributes.put(FUNCTION, definition.function().value());
    attributes.put(WANTED_AT, container.wantedAt().toString());
    Instant startedAt = container.startedAt();
    if (startedAt != null) {
      attributes.put(STARTED_AT, startedAt.toString());
    }
    Entry entry =
        new Entry(
            Kind.ENDED_CONTAINER,
            definition.environment(),
            "",
            container.task().value(),
            now,
            Map.copyOf(attributes));
    directory
        .put(entry)
        .exceptionally(
            failure -> {
              LOG.warn(
                  "The end of {} could not be noted: {}", container.task(), failure.toString());
              return null;
            });
  }

  /** Forgets those that ended too long ago. */
  static void forgetOld(Directory directory, Instant now) {
    directory
        .removeBefore(Kind.ENDED_CONTAINER, now.minus(KEPT))
        .exceptionally(
            failure -> {
              LOG.warn("Containers that ended long ago stay listed: {}", failure.toString());
              return null;
            });
  }
}
