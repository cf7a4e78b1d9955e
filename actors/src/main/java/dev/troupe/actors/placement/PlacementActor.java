package dev.troupe.actors.placement;

final class PlacementActor {

  sealed interface Internal extends PlacementProtocol.Command {}

  record Tick() implements Internal {}

  private PlacementActor() {}
}
