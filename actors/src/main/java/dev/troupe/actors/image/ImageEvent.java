package dev.troupe.actors.image;

import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;

/** What the journal holds of an image. */
public sealed interface ImageEvent extends ClusterMessage {

  /** It was made known. */
  record ImageDefined(ImageProtocol.Layer layer, Instant at) implements ImageEvent {}

  /** A build succeeded. */
  record ImageBuilt(ImageProtocol.ImageFacts facts, Instant at) implements ImageEvent {}

  /** A build failed. */
  record BuildFailed(String why, Instant at) implements ImageEvent {}
}
