package dev.troupe.actors.image;

import dev.troupe.actors.image.BuildSteps.Source;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code RUN} sees at a path while it runs, and no layer keeps. Paths and ids are words, as
 * in {@link BuildSteps.Environment}.
 */
public sealed interface RunMount {

  /** Where it shows; relative to the working directory. Empty for a secret that is no file. */
  String target();

  /**
   * Files of the context, of an earlier stage or of another image.
   *
   * @param readOnly otherwise the step may write, and what it writes is thrown away
   */
  record Bind(String target, Source from, String source, boolean readOnly) implements RunMount {}

  /**
   * A folder that this machine keeps from one build to the next.
   *
   * @param id tells folders apart; empty: the target is its id
   * @param from what a new one begins with; null: nothing
   * @param access of a new one
   */
  record Cache(
      String id,
      String target,
      Sharing sharing,
      @Nullable Source from,
      String source,
      boolean readOnly,
      Access access)
      implements RunMount {}

  /** What becomes of a cache that is in use. */
  enum Sharing {
    /** All use it at the same time. */
    SHARED,
    /** Each has one of its own. */
    PRIVATE,
    /** One waits for the other. */
    LOCKED
  }

  /**
   * A variable of the secrets that the build was given.
   *
   * @param id the variable's name
   * @param target empty: no file
   * @param variable under which the step sees it; empty: no further one
   * @param required whether the step fails without it
   */
  record Secret(String id, String target, String variable, boolean required, Access access)
      implements RunMount {}

  /**
   * A folder in memory.
   *
   * @param bytes 0: half of the machine's memory, as the kernel has it
   */
  record Memory(String target, long bytes) implements RunMount {}

  /** Rights and owner, by number. */
  record Access(int mode, int user, int group) {}
}
