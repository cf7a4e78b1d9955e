package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionDefinition.Scaling;
import java.time.Duration;

/**
 * How many containers a function should have, from what is seen now. Pure: same load, same answer.
 *
 * <p>Wanted are enough containers for what waits and runs, within the declared bounds. Going up, a
 * container is started only where the queue would not be empty before it is up, and the number of
 * starts doubles from step to step: a thousand inputs of a millisecond need no thousand containers,
 * a thousand of a minute get them within seconds. Going down is not decided here: an idle container
 * leaves when its own scale-down window is over.
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
   * @param running inputs leased to containers
   * @param live containers that run or start, without those that leave
   * @param starting those of them that do not ask for inputs yet
   * @param slots inputs one container runs at a time
   * @param meanRun mean time an input ran lately; zero while nothing is known
   */
  record Load(int waiting, int running, int live, int starting, int slots, Duration meanRun) {}

  /** How many containers to start now. */
  static int starts(Load load, Scaling scaling) {
    int floor = scaling.minContainers();
    int demand = Math.ceilDiv(load.waiting() + load.running(), load.slots());
    boolean busy = load.waiting() + load.running() > 0;
    int wanted = demand + (busy ? scaling.bufferContainers() : 0);
    int target = Math.max(floor, Math.min(wanted, scaling.maxContainers()));
    int missing = target - load.live();
    if (missing <= 0) {
      return 0;
    }
    int belowFloor = Math.max(0, Math.min(missing, floor - load.live()));
    return Math.max(belowFloor, Math.min(missing, step(load)));
  }

  /** The most that one step may start beyond the floor. */
  private static int step(Load load) {
    if (load.meanRun().isZero()) {
      // Nothing is known yet: a first few, and no more while those are on their way.
      return Math.max(0, Math.max(FIRST_STEP, load.live()) - load.starting());
    }
    int serving = Math.max(1, load.live()) * load.slots();
    double drainMillis = (double) load.meanRun().toMillis() * load.waiting() / serving;
    if (load.live() > 0 && drainMillis < START_TIME.toMillis()) {
      return 0;
    }
    return Math.max(1, Math.max(FIRST_STEP, load.live()) - load.starting());
  }
}
