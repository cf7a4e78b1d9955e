package dev.troupe.actors.image;

final class ImageActor {

  sealed interface Internal extends ImageProtocol.Command {}

  record Tick() implements Internal {}

  private ImageActor() {}
}
