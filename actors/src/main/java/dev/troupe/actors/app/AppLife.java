package dev.troupe.actors.app;

import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.id.FunctionId;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * What goes on around an app just now, and whether that ends it. Not recorded: a server that was
 * away starts all waits anew, for its own silence is not the client's.
 *
 * @param since when this began
 * @param complete false after a restart, when functions may be busy that have not said so yet
 * @param heardAt when the client last gave a word
 * @param leftAt when the client said that it leaves; null while it has not
 * @param quietAt when the last busy function became idle
 * @param loads how busy each function says it is
 */
record AppLife(
    Instant since,
    boolean complete,
    Instant heardAt,
    @Nullable Instant leftAt,
    Instant quietAt,
    PMap<FunctionId, Load> loads) {

  // A call submitted just before its client left may still be on its way to the function.
  private static final Duration QUIET = Duration.ofSeconds(3);

  // Functions say how busy they are every 30 s: one that missed two turns is not there any more.
  private static final Duration LOAD_VALID = Duration.ofSeconds(75);

  /** How busy a function is. */
  record Load(int unfinished, int containers, Instant at) {}

  /** An app that was made just now. */
  static AppLife fresh(Instant now) {
    return new AppLife(now, true, now, null, now, HashTreePMap.empty());
  }

  /** An app that was there before this process held it. */
  static AppLife resumed(Instant now) {
    return new AppLife(now, false, now, null, now, HashTreePMap.empty());
  }

  /** The client gave a word. */
  AppLife heard(Instant now) {
    return new AppLife(since, complete, now, leftAt, quietAt, loads);
  }

  /** The client said that it leaves. */
  AppLife left(Instant now) {
    return new AppLife(since, complete, heardAt, now, quietAt, loads);
  }

  /** A function said how busy it is. */
  AppLife busy(FunctionId function, int unfinished, int containers, Instant now) {
    PMap<FunctionId, Load> next =
        unfinished == 0 && containers == 0
            ? loads.minus(function)
            : loads.plus(function, new Load(unfinished, containers, now));
    Load before = loads.get(function);
    boolean becameIdle = unfinished == 0 && before != null && before.unfinished() > 0;
    return new AppLife(since, complete, heardAt, leftAt, becameIdle ? now : quietAt, next);
  }

  /** Containers its functions have. */
  int containers(Instant now) {
    return loads.values().stream()
        .filter(load -> isValid(load, now))
        .mapToInt(Load::containers)
        .sum();
  }

  /** Why an app in {@code phase} ends now, or nothing. */
  Optional<String> end(Phase phase, Instant now) {
    return switch (phase) {
      case INITIALIZING, EPHEMERAL ->
          isSilent(now)
              ? Optional.of(
                  "no word of its client for " + AppProtocol.CLIENT_SILENCE.toSeconds() + " s")
              : Optional.empty();
      case DETACHED -> isDone(now) ? Optional.of("all its calls are done") : Optional.empty();
      case DEPLOYED, STOPPING, STOPPED -> Optional.empty();
    };
  }

  private boolean isSilent(Instant now) {
    return !now.isBefore(heardAt.plus(AppProtocol.CLIENT_SILENCE));
  }

  private boolean isDone(Instant now) {
    boolean known = complete || !now.isBefore(since.plus(AppProtocol.CLIENT_SILENCE));
    boolean idle =
        loads.values().stream().noneMatch(load -> load.unfinished() > 0 && isValid(load, now));
    return known
        && idle
        && isPast(quietAt, now)
        && (isSilent(now) || (leftAt != null && isPast(leftAt, now)));
  }

  private static boolean isPast(Instant at, Instant now) {
    return !now.isBefore(at.plus(QUIET));
  }

  private static boolean isValid(Load load, Instant now) {
    return now.isBefore(load.at().plus(LOAD_VALID));
  }
}
