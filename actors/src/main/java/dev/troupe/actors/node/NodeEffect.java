package dev.troupe.actors.node;

import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Order;

/** What a decision about a machine has its entity do. */
sealed interface NodeEffect {

  /** Answers who asked for a grant. */
  record Answer(GrantReply reply) implements NodeEffect {}

  /** Tells a function. */
  record Tell(FunctionId function, FromMachine word) implements NodeEffect {}

  /** Gives the agent an order. */
  record Send(Order order) implements NodeEffect {}
}
