package dev.troupe.actors.image;

import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Join;
import dev.troupe.actors.image.ImageProtocol.Line;
import dev.troupe.actors.image.ImageProtocol.Progress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Those who wait for lines of a build, or for its end. Used on the image's thread alone. */
final class Joiners {

  private static final int LIMIT = 1_000;

  private record Held(Join join, Instant until) {}

  private final BuildLog log;
  private final List<Held> held = new ArrayList<>();

  Joiners(BuildLog log) {
    this.log = log;
  }

  /**
   * Answers at once where there is something to say; else holds it. Past the limit it is not
   * answered: its asker's patience ends, and it asks again.
   */
  void join(Join join, @Nullable ImageReply end, Instant now) {
    if (!answer(join, end) && held.size() < LIMIT) {
      held.add(new Held(join, now.plus(join.patience())));
    }
  }

  /** Answers those who can be answered, and those whose patience is over. */
  void settle(@Nullable ImageReply end, Instant now) {
    held.removeIf(
        at -> {
          if (answer(at.join(), end)) {
            return true;
          }
          if (now.isBefore(at.until())) {
            return false;
          }
          at.join().replyTo().tell(new Progress(List.of(), at.join().after(), null));
          return true;
        });
  }

  /** Tells lines, or the end once all lines are told. */
  private boolean answer(Join join, @Nullable ImageReply end) {
    List<Line> lines = log.after(join.after());
    long last = lines.isEmpty() ? join.after() : lines.getLast().number();
    ImageReply told = log.isReadTo(last) ? end : null;
    if (lines.isEmpty() && told == null) {
      return false;
    }
    join.replyTo().tell(new Progress(lines, last, told));
    return true;
  }
}
