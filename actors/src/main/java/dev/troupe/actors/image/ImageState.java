package dev.troupe.actors.image;

import dev.troupe.actors.image.ImageEvent.BuildFailed;
import dev.troupe.actors.image.ImageEvent.ImageBuilt;
import dev.troupe.actors.image.ImageEvent.ImageDefined;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.cluster.Decision;
import java.time.Instant;

/** All that an image remembers, and every decision it takes. */
public sealed interface ImageState {

  /** Never made known. */
  record Undefined() implements ImageState {}

  /** Known, and neither built nor failed since: a build is to be under way. */
  record Unbuilt(Layer layer) implements ImageState {}

  /** The last build succeeded. */
  record Done(Layer layer, ImageFacts facts) implements ImageState {}

  /** The last build failed. */
  record Broken(Layer layer, String why) implements ImageState {}

  /** Makes it known; the answer {@code Building} means that a build is to be under way. */
  default Decision<ImageEvent, ImageReply> ensure(Layer layer, boolean rebuild, Instant now) {
    return switch (this) {
      case Undefined() -> Decision.record(new ImageDefined(layer, now), new ImageReply.Building());
      case Done(_, var facts) when !rebuild -> Decision.reply(new ImageReply.Built(facts));
      case Unbuilt _, Done _, Broken _ -> Decision.reply(new ImageReply.Building());
    };
  }

  /** How it stands; {@code building} is told by who builds. */
  default ImageReply view(boolean building) {
    return switch (this) {
      case Undefined() -> new ImageReply.Unknown();
      case Unbuilt _ -> new ImageReply.Building();
      case Done(_, var facts) -> building ? new ImageReply.Building() : new ImageReply.Built(facts);
      case Broken(_, var why) -> building ? new ImageReply.Building() : new ImageReply.Failed(why);
    };
  }

  /** The state after a fact. */
  default ImageState apply(ImageEvent event) {
    return switch (event) {
      case ImageDefined(var layer, _) -> new Unbuilt(layer);
      case ImageBuilt(var facts, _) -> new Done(defined(), facts);
      case BuildFailed(var why, _) -> new Broken(defined(), why);
    };
  }

  /** Its layer; only what is defined has one. */
  default Layer defined() {
    return switch (this) {
      case Undefined() -> throw new IllegalStateException("an image that was never made known");
      case Unbuilt(var layer) -> layer;
      case Done(var layer, _) -> layer;
      case Broken(var layer, _) -> layer;
    };
  }
}
