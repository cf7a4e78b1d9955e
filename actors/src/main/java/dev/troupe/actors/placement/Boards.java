package dev.troupe.actors.placement;

import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;

/** Starts this process's view of all machines. */
public final class Boards {

  /** The view, kept up to date from now on. Once a process. */
  public static MachineBoard start(ActorSystem<?> system, InstantSource clock) {
    BoardActor.Board board = new BoardActor.Board();
    system.systemActorOf(BoardActor.create(board, clock), "machine-board", Props.empty());
    return board;
  }

  private Boards() {}
}
