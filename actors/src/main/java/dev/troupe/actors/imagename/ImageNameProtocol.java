package dev.troupe.actors.imagename;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.ImageNameId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;

/**
 * The conversation with one name of images. The entity id is the {@link ImageNameId}, made from
 * environment and name. It keeps which image was published under it and when, and knows nothing
 * else of images: whether one is built is asked before.
 */
public interface ImageNameProtocol {

  EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "image-name");

  /** Revisions that are kept of a name; the oldest go first. */
  int REVISIONS_LIMIT = 1_000;

  /** Key of a directory entry's attribute: the image that the name stands for. */
  String IMAGE_ATTRIBUTE = "image";

  /** Key of a directory entry's attribute: the newest revision. */
  String REVISION_ATTRIBUTE = "revision";

  /** Key of a directory entry's attribute: who published the newest revision. */
  String PUBLISHED_BY_ATTRIBUTE = "published-by";

  /** Key of a directory entry's attribute: when the newest revision was published, in ISO 8601. */
  String UPDATED_AT_ATTRIBUTE = "updated-at";

  /** Anything said to a name. */
  sealed interface Command extends ClusterMessage
      permits Publish, Read, GetHistory, Delete, ImageNameActor.Internal {}

  /**
   * Lets the name stand for an image from now on. A revision that is known already is answered as
   * it was, and changes nothing.
   *
   * @param name with its tag
   * @param revision an id that the same request always has, and no other
   */
  record Publish(
      String environment,
      String name,
      ImageId image,
      String revision,
      String publishedBy,
      ActorRef<Published> replyTo)
      implements Command {}

  /** Asks which image it stands for. */
  record Read(ActorRef<Current> replyTo) implements Command {}

  /**
   * Asks for up to {@code limit} revisions, newest first.
   *
   * @param before only those with a lower number
   */
  record GetHistory(long before, int limit, ActorRef<History> replyTo) implements Command {}

  /** Forgets the name and its history; images stay. */
  record Delete(ActorRef<Deleted> replyTo) implements Command {}

  /**
   * One publication.
   *
   * @param number counts from 1 for each name
   */
  record Revision(long number, String id, ImageId image, String publishedBy, Instant at)
      implements ClusterMessage {}

  /** Answer to {@link Publish}: the revision that the request made, now or when it came first. */
  record Published(Revision revision) implements ClusterMessage {}

  /** Answer to {@link Read}: the newest revision; null where nothing has the name. */
  record Current(@Nullable Revision revision) implements ClusterMessage {}

  /** Answer to {@link GetHistory}; there may be more where {@code more} says so. */
  record History(List<Revision> revisions, boolean more) implements ClusterMessage {}

  /** Answer to {@link Delete}: whether there was anything. */
  record Deleted(boolean wasThere) implements ClusterMessage {}
}
