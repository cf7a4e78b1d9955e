package dev.troupe.gateway.link;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/** Log lines of containers, from the machines that hold them. */
public interface LogFeed {

  /**
   * Follows an app's lines on one machine, from {@code after} on, as fast as they are taken and no
   * faster; those that it no longer holds come from the archive. A link that breaks is waited for
   * and the lines go on where they stopped, so the stream fails only where the archive can't be
   * read; it ends only with a {@link Batch#drained} batch, or when it is cancelled.
   *
   * @param filter which of them; with a container, its end is the end
   */
  Source<Batch, NotUsed> follow(MachineId machine, AppId app, LogFilter filter, Position after);

  /** Gives what the archive has of a machine behind {@code after}, and ends. */
  Source<Batch, NotUsed> archived(MachineId machine, AppId app, LogFilter filter, Position after);

  /** The machines that are linked: any of them may hold lines. */
  Set<MachineId> machines();

  /** The machines of which the archive has lines of an app. */
  CompletionStage<Set<MachineId>> archivedMachines(AppId app);

  /** Where a line stands among those of its machine. */
  record Position(long timeMicros, long number) {

    /** Before every line. */
    public static final Position START = new Position(0, 0);

    /** Where a line stands. */
    public static Position of(LogLine line) {
      return new Position(line.getTimeUs(), line.getNumber());
    }
  }

  /**
   * Lines in order.
   *
   * @param drained the machine has no container that could print more, and all lines were sent
   */
  record Batch(List<LogLine> lines, boolean drained) {}
}
