package dev.troupe.actors.image;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageEvent.BuildFailed;
import dev.troupe.actors.image.ImageEvent.ImageBuilt;
import dev.troupe.actors.image.ImageEvent.ImageDefined;
import dev.troupe.actors.image.ImageEvent.ImageDeleted;
import dev.troupe.actors.image.ImageEvent.ImageRenewed;
import dev.troupe.actors.image.ImageProtocol.Deletion;
import dev.troupe.actors.image.ImageProtocol.Ensured;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.RenewedBy;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** All that an image remembers, and every decision it takes. */
public sealed interface ImageState {

  /** Never made known. */
  record Undefined() implements ImageState {}

  /** Known, and neither built nor failed since: a build is to be under way. */
  record Unbuilt(Layer layer) implements ImageState {}

  /** The last build succeeded. */
  record Done(Layer layer, ImageFacts facts, @Nullable Run run) implements ImageState {}

  /** The last build failed. */
  record Broken(Layer layer, String why, @Nullable Run run) implements ImageState {}

  /** Deleted: unknown to all but the functions that were made with it. */
  record Deleted(Layer layer) implements ImageState {}

  /** Another image stands for its definition; of itself it is as before. */
  record Renewed(ImageState own, ImageId by) implements ImageState {}

  /** Makes it known; the answer {@code Building} means that a build is to be under way. */
  default Decision<ImageEvent, Ensured> ensure(Layer layer, Instant now) {
    return switch (this) {
      case Undefined _, Deleted _ ->
          Decision.record(new ImageDefined(layer, now), new ImageReply.Building());
      case Done(_, var facts, _) -> Decision.reply(new ImageReply.Built(facts));
      case Unbuilt _, Broken _ -> Decision.reply(new ImageReply.Building());
      case Renewed(_, var by) -> Decision.reply(new RenewedBy(by));
    };
  }

  /** Lets another image stand for its definition, unless one does that is not over. */
  default Decision<ImageEvent, RenewedBy> renew(ImageId by, @Nullable ImageId over, Instant now) {
    return this instanceof Renewed(_, var present) && !present.equals(over)
        ? Decision.reply(new RenewedBy(present))
        : Decision.record(new ImageRenewed(by, now), new RenewedBy(by));
  }

  /** Deletes it, unless it is being built. */
  default Decision<ImageEvent, Deletion> delete(boolean building, Instant now) {
    return switch (this) {
      case Undefined() -> Decision.reply(Deletion.UNKNOWN);
      case Deleted _ -> Decision.reply(Deletion.DELETED);
      case Unbuilt _ -> Decision.reply(Deletion.BUILDING);
      case Done _, Broken _ ->
          building
              ? Decision.reply(Deletion.BUILDING)
              : Decision.record(new ImageDeleted(now), Deletion.DELETED);
      case Renewed(var own, _) -> own.delete(building, now);
    };
  }

  /** Its last build, where it is remembered. */
  default @Nullable Run lastRun() {
    return switch (this) {
      case Undefined _, Unbuilt _, Deleted _ -> null;
      case Done(_, _, var run) -> run;
      case Broken(_, _, var run) -> run;
      case Renewed(var own, _) -> own.lastRun();
    };
  }

  /** How it stands; {@code building} is told by who builds. */
  default ImageReply view(boolean building) {
    return switch (this) {
      case Undefined _, Deleted _ -> new ImageReply.Unknown();
      case Unbuilt _ -> new ImageReply.Building();
      case Done(_, var facts, _) ->
          building ? new ImageReply.Building() : new ImageReply.Built(facts);
      case Broken(_, var why, _) ->
          building ? new ImageReply.Building() : new ImageReply.Failed(why);
      case Renewed(var own, _) -> own.view(building);
    };
  }

  /** The state after a fact. */
  default ImageState apply(ImageEvent event) {
    if (this instanceof Renewed(var own, var by) && !(event instanceof ImageRenewed)) {
      return new Renewed(own.apply(event), by);
    }
    return switch (event) {
      case ImageRenewed(var by, _) -> new Renewed(itself(), by);
      case ImageDefined(var layer, _) -> new Unbuilt(layer);
      case ImageBuilt(var facts, var run, _) -> new Done(defined(), facts, run);
      case BuildFailed(var why, var run, _) -> new Broken(defined(), why, run);
      case ImageDeleted(_) -> new Deleted(defined());
    };
  }

  /** Itself, whatever stands for its definition. */
  default ImageState itself() {
    return this instanceof Renewed(var own, _) ? own : this;
  }

  /** Its layer; only what is defined has one. */
  default Layer defined() {
    return switch (this) {
      case Undefined() -> throw new IllegalStateException("an image that was never made known");
      case Unbuilt(var layer) -> layer;
      case Done(var layer, _, _) -> layer;
      case Broken(var layer, _, _) -> layer;
      case Deleted(var layer) -> layer;
      case Renewed(var own, _) -> own.defined();
    };
  }
}
