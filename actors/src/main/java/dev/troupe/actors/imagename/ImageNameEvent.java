package dev.troupe.actors.imagename;

import dev.troupe.actors.id.ImageId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;

/** What the journal holds of a name of images. */
public sealed interface ImageNameEvent extends ClusterMessage {

  /** An image was published under it. */
  record ImagePublished(
      String environment,
      String name,
      ImageId image,
      String revision,
      String publishedBy,
      Instant at)
      implements ImageNameEvent {}

  /** The name was deleted, with its history. */
  record ImageNameDeleted(Instant at) implements ImageNameEvent {}
}
