package dev.troupe.actors.image;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What the journal holds of an image. */
public sealed interface ImageEvent extends ClusterMessage {

  /** It was made known. */
  record ImageDefined(ImageProtocol.Layer layer, Instant at) implements ImageEvent {}

  /** A build succeeded; what older releases recorded has no {@code run}. */
  record ImageBuilt(ImageProtocol.ImageFacts facts, @Nullable Run run, Instant at)
      implements ImageEvent {}

  /** A build failed; {@code run} is null where no machine had begun it. */
  record BuildFailed(String why, @Nullable Run run, Instant at) implements ImageEvent {}

  /** Another image stands for its definition from now on. */
  record ImageRenewed(ImageId by, Instant at) implements ImageEvent {}

  /** It was deleted. */
  record ImageDeleted(Instant at) implements ImageEvent {}
}
