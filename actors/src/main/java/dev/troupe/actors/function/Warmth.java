package dev.troupe.actors.function;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.FunctionId;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which functions are to be in memory though nobody calls them: those with {@code min_containers}.
 * The {@link Waker} reads it. Written beside the publication, not before its answer: at worst a
 * crash in between leaves a function cold until its next call.
 */
final class Warmth {

  private static final Logger LOG = LoggerFactory.getLogger(Warmth.class);

  private Warmth() {}

  /** Takes note of a definition that comes into force. */
  static void note(Directory directory, @Nullable FunctionDefinition definition, Instant now) {
    if (definition == null) {
      return;
    }
    if (definition.scaling().minContainers() == 0) {
      forget(directory, definition.function());
      return;
    }
    Entry entry =
        new Entry(
            Kind.WARM_FUNCTION,
            definition.environment(),
            "",
            definition.function().value(),
            now,
            Map.of());
    directory.put(entry).exceptionally(failure -> failed(definition.function(), failure));
  }

  /** It is kept warm no longer. */
  static void forget(Directory directory, FunctionId function) {
    directory
        .remove(Kind.WARM_FUNCTION, function.value())
        .exceptionally(failure -> failed(function, failure));
  }

  private static @Nullable Void failed(FunctionId function, Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    LOG.warn("{}: could not note whether it is kept warm: {}", function, cause.toString());
    return null;
  }
}
