package dev.troupe.actors.imagename;

import dev.troupe.actors.imagename.ImageNameEvent.ImageNameDeleted;
import dev.troupe.actors.imagename.ImageNameEvent.ImagePublished;
import dev.troupe.actors.imagename.ImageNameProtocol.Current;
import dev.troupe.actors.imagename.ImageNameProtocol.Deleted;
import dev.troupe.actors.imagename.ImageNameProtocol.History;
import dev.troupe.actors.imagename.ImageNameProtocol.Published;
import dev.troupe.actors.imagename.ImageNameProtocol.Revision;
import dev.troupe.cluster.ClusterMessage;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** All that a name of images remembers, and every decision it takes. */
public sealed interface ImageNameState extends ClusterMessage {

  /** Nothing was published under it, or it was deleted. */
  record Unused() implements ImageNameState {}

  /**
   * It stands for an image.
   *
   * @param revisions newest first, never empty, {@link ImageNameProtocol#REVISIONS_LIMIT} at most
   */
  record Used(String environment, String name, Instant createdAt, List<Revision> revisions)
      implements ImageNameState {

    /** The newest revision. */
    public Revision newest() {
      return revisions.getFirst();
    }
  }

  /** Publishes an image; a revision that is kept is answered as it is. */
  default Decision<ImageNameEvent, Published> publish(ImagePublished published) {
    Optional<Revision> known =
        revisions().stream()
            .filter(revision -> revision.id().equals(published.revision()))
            .findFirst();
    return known.isPresent()
        ? Decision.reply(new Published(known.get()))
        : Decision.record(published, new Published(revision(published)));
  }

  /** Deletes it; there is nothing to record where there is none. */
  default Decision<ImageNameEvent, Deleted> delete(Instant now) {
    return switch (this) {
      case Unused() -> Decision.reply(new Deleted(false));
      case Used _ -> Decision.record(new ImageNameDeleted(now), new Deleted(true));
    };
  }

  /** What it stands for. */
  default Current current() {
    return switch (this) {
      case Unused() -> new Current(null);
      case Used used -> new Current(used.newest());
    };
  }

  /** A page of what it stood for. */
  default History history(long before, int limit) {
    List<Revision> older =
        revisions().stream().filter(revision -> revision.number() < before).toList();
    return new History(
        List.copyOf(older.subList(0, Math.min(limit, older.size()))), older.size() > limit);
  }

  /** The state after a fact. */
  default ImageNameState apply(ImageNameEvent event) {
    return switch (event) {
      case ImagePublished published ->
          new Used(
              published.environment(),
              published.name(),
              createdAt(published.at()),
              Stream.concat(Stream.of(revision(published)), revisions().stream())
                  .limit(ImageNameProtocol.REVISIONS_LIMIT)
                  .toList());
      case ImageNameDeleted(_) -> new Unused();
    };
  }

  private List<Revision> revisions() {
    return switch (this) {
      case Unused() -> List.of();
      case Used used -> used.revisions();
    };
  }

  private Revision revision(ImagePublished published) {
    long number =
        switch (this) {
          case Unused() -> 1;
          case Used used -> used.newest().number() + 1;
        };
    return new Revision(
        number, published.revision(), published.image(), published.publishedBy(), published.at());
  }

  private Instant createdAt(Instant now) {
    return switch (this) {
      case Unused() -> now;
      case Used used -> used.createdAt();
    };
  }
}
