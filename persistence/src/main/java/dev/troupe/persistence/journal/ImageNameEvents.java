package dev.troupe.persistence.journal;

import com.google.protobuf.MessageLite;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.imagename.ImageNameEvent;
import dev.troupe.persistence.journal.proto.ImageNameDeleted;
import dev.troupe.persistence.journal.proto.ImagePublished;
import dev.troupe.persistence.store.Micros;
import java.util.Map;

/** Events of names of images. */
final class ImageNameEvents implements EventCodec<ImageNameEvent> {

  private static final String PUBLISHED = "image-name.published@1";
  private static final String DELETED = "image-name.deleted@1";

  @Override
  public Class<ImageNameEvent> type() {
    return ImageNameEvent.class;
  }

  @Override
  public String manifest(ImageNameEvent event) {
    return switch (event) {
      case ImageNameEvent.ImagePublished _ -> PUBLISHED;
      case ImageNameEvent.ImageNameDeleted _ -> DELETED;
    };
  }

  @Override
  public MessageLite message(ImageNameEvent event) {
    return switch (event) {
      case ImageNameEvent.ImagePublished published ->
          ImagePublished.newBuilder()
              .setEnvironment(published.environment())
              .setName(published.name())
              .setImage(published.image().value())
              .setRevision(published.revision())
              .setPublishedBy(published.publishedBy())
              .setAt(Micros.of(published.at()))
              .build();
      case ImageNameEvent.ImageNameDeleted(var at) ->
          ImageNameDeleted.newBuilder().setAt(Micros.of(at)).build();
    };
  }

  @Override
  public Map<String, Reader<ImageNameEvent>> readers() {
    return Map.of(
        PUBLISHED, bytes -> published(ImagePublished.parseFrom(bytes)),
        DELETED,
            bytes ->
                new ImageNameEvent.ImageNameDeleted(
                    Micros.toInstant(ImageNameDeleted.parseFrom(bytes).getAt())));
  }

  private static ImageNameEvent published(ImagePublished message) {
    return new ImageNameEvent.ImagePublished(
        message.getEnvironment(),
        message.getName(),
        new ImageId(message.getImage()),
        message.getRevision(),
        message.getPublishedBy(),
        Micros.toInstant(message.getAt()));
  }
}
