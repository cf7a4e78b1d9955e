package dev.troupe.actors.image;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.image.ImageProtocol.Line;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to build an image, once its base is there: on which machine, and whether that still
 * goes on.
 *
 * @param number counts attempts of one build, from 1
 * @param build tells this attempt from all others
 * @param base the image it stands on; a machine that has it is preferred
 * @param machine null until one is chosen
 * @param toldAt when the machine was last told
 * @param linkedAt when the machine was last seen connected
 * @param heardAt when it last said something of this build
 * @param lastLine highest number of its lines taken in
 * @param since when it began, by the earlier of this clock and its machine's
 * @param until behind its last line, by the later of both clocks
 */
record BuildRun(
    int number,
    String build,
    @Nullable ImageId base,
    @Nullable MachineId machine,
    Instant toldAt,
    Instant linkedAt,
    Instant heardAt,
    long lastLine,
    Instant since,
    Instant until) {

  /** Attempts of one build. */
  static final int ATTEMPTS_LIMIT = 3;

  /** Lines are timed in microseconds. */
  private static final Duration TICK = Duration.of(1, ChronoUnit.MICROS);

  private static final Duration RESTATE = Duration.ofSeconds(10);

  // Longer than the 10 s after which a machine's containers are given up, so that an agent which
  // is back by then finds its build still wanted.
  private static final Duration ABSENCE_LIMIT = Duration.ofSeconds(15);

  private static final Duration SILENCE_LIMIT = Duration.ofMinutes(10);

  /** What to do now. */
  sealed interface Step {

    /** Tell this machine, for the first time or again. */
    record Tell(MachineId machine) implements Step {}

    /** No machine is connected. */
    record NoMachine() implements Step {}

    /** It goes on. */
    record Wait() implements Step {}

    /** This attempt is lost. */
    record Lost(String why) implements Step {}
  }

  /** An attempt that has no machine yet. */
  static BuildRun of(int number, String build, @Nullable ImageId base, Instant now) {
    return new BuildRun(number, build, base, null, now, now, now, 0, now, now);
  }

  /** What to do, given the machines known now. */
  Step next(Collection<MachineAdvert> machines, Instant now) {
    if (machine == null) {
      return choose(machines).<Step>map(Step.Tell::new).orElseGet(Step.NoMachine::new);
    }
    if (!isLinked(machines)) {
      return isPast(linkedAt, ABSENCE_LIMIT, now)
          ? new Step.Lost("machine " + machine + " is gone")
          : new Step.Wait();
    }
    if (isPast(heardAt, SILENCE_LIMIT, now)) {
      return new Step.Lost(
          "machine %s said nothing of it for %d minutes"
              .formatted(machine, SILENCE_LIMIT.toMinutes()));
    }
    return isPast(toldAt, RESTATE, now) ? new Step.Tell(machine) : new Step.Wait();
  }

  /** The run as {@code machines} show it; one that was away is told anew as soon as it is back. */
  BuildRun seen(Collection<MachineAdvert> machines, Instant now) {
    boolean linked = isLinked(machines);
    Instant told = linked ? toldAt : Instant.EPOCH;
    Instant seen = linked ? now : linkedAt;
    return new BuildRun(number, build, base, machine, told, seen, heardAt, lastLine, since, until);
  }

  /** The run after a machine was told; only the first time says anything about its health. */
  BuildRun told(MachineId chosen, Instant now) {
    return machine == null
        ? new BuildRun(number, build, base, chosen, now, now, now, lastLine, since, until)
        : new BuildRun(
            number, build, base, machine, now, linkedAt, heardAt, lastLine, since, until);
  }

  /** The run after its machine said something, these lines among it. */
  BuildRun heard(List<Line> lines, Instant now) {
    long last = lastLine;
    Instant first = since;
    Instant end = until.isAfter(now) ? until : now;
    for (Line line : lines) {
      last = Math.max(last, line.number());
      first = line.at().isBefore(first) ? line.at() : first;
      end = line.at().isBefore(end) ? end : line.at().plus(TICK);
    }
    return new BuildRun(number, build, base, machine, toldAt, now, now, last, first, end);
  }

  /** As it is remembered. */
  ImageProtocol.Run record(Instant now) {
    Instant end = until.isAfter(now) ? until : now;
    return new ImageProtocol.Run(build, since, end.plus(TICK));
  }

  private Optional<MachineId> choose(Collection<MachineAdvert> machines) {
    return machines.stream()
        .filter(MachineAdvert::linked)
        .max(
            Comparator.<MachineAdvert>comparingInt(
                    at -> base != null && at.images().contains(base) ? 1 : 0)
                .thenComparingInt(at -> at.free().cpuMillis())
                .thenComparing(at -> at.machine().value()))
        .map(MachineAdvert::machine);
  }

  private boolean isLinked(Collection<MachineAdvert> machines) {
    return machines.stream().anyMatch(at -> at.linked() && at.machine().equals(machine));
  }

  private static boolean isPast(Instant since, Duration limit, Instant now) {
    return !now.isBefore(since.plus(limit));
  }
}
