package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionDefinition.Scaling;
import java.time.Duration;

/**
 * How many containers a function should have, from what is seen now. Pure: same load, same answer.
 *
 * <p>Wanted are enough containers for what waits and runs, within the declared bounds. Going up, a
 * container is started only where the queue would not be empty before it is up, or where it does
 * not move at all, and the number of starts doubles from step to step: a thousand inputs of a
 * millisecond need no thousand containers, a thousand of a minute get them within seconds. Going
 * down, an idle container beyond what is wanted leaves when its own scale-down window is over.
 */
final class Autoscaler {

  /** Containers started at once before anything is known about how long an input takes. */
  static final int FIRST_STEP = 4;

  /** What a container must save to be worth its start. */
  static final Duration START_TIME = Duration.ofSeconds(1);

  private Autoscaler() {}

  /**
   * What is seen of a function.
   *
   * @param waiting inputs that could run now
   * @param running inputs leased to live containers
   * @param live containers that run or start, without those that leave
   * @param starting those of them that do not ask for inputs yet
   * @param slots inputs one container runs at a time
   * @param meanRun mean time an input ran lately; zero while nothing is known
   * @param longestWait how long the first of those that wait has waited
   */
  record Load(
      int waiting,
      int running,
      int live,
      int starting,
      int slots,
      Duration meanRun,
      Duration longestWait) {}

  /** How many containers are wanted in the end. */
  static int target(Load load, Scaling scaling) {
    int busy = load.waiting() + load.running();
    int wanted = busy == 0 ? 0 : Math.ceilDiv(busy, load.slots()) + scaling.bufferContainers();
    return Math.max(scaling.minContainers(), Math.min(wanted, scaling.maxContainers()));
  }

  /** How many containers to start now. */
  static int starts(Load load, Scaling scaling) {
    int missing = target(load, scaling) - load.live();
    if (missing <= 0) {
      return 0;
    }
    return Math.min(missing, Math.max(floor(load, scaling) - load.live(), step(load)));
  }

  /** Containers that are to be there whatever waits: the minimum, and the buffer of a busy one. */
  private static int floor(Load load, Scaling scaling) {
    boolean busy = load.waiting() + load.running() > 0;
    int buffered =
        busy && scaling.bufferContainers() > 0
            ? Math.ceilDiv(load.running(), load.slots()) + scaling.bufferContainers()
            : 0;
    return Math.max(scaling.minContainers(), buffered);
  }

  /** The most that one step may start beyond the floor. */
  private static int step(Load load) {
    int doubled = Math.max(0, Math.max(FIRST_STEP, load.live()) - load.starting());
    boolean known = !load.meanRun().isZero();
    return known && load.live() > 0 && drains(load) ? 0 : doubled;
  }

  /** Whether what waits will have begun before another container would be up. */
  private static boolean drains(Load load) {
    double serving = (double) load.live() * load.slots();
    double drainNanos = load.meanRun().toNanos() * (load.waiting() / serving);
    return drainNanos < START_TIME.toNanos() && load.longestWait().compareTo(START_TIME) < 0;
  }
}
