package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Launch;

/** What a decision about a waiting list has its entity do. */
sealed interface ListEffect {

  /** Asks a machine for a grant. */
  record Ask(MachineId machine, Launch launch) implements ListEffect {}

  /** Tells a function. */
  record Tell(FunctionId function, FromMachine word) implements ListEffect {}

  /** Has a machine stop what it granted and nobody wants any more. */
  record Stop(MachineId machine, TaskId task) implements ListEffect {}
}
