package dev.troupe.actors.node;

final class NodeActor {

  sealed interface Internal extends NodeProtocol.Command {}

  record Tick() implements Internal {}

  private NodeActor() {}
}
