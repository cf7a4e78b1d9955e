package dev.troupe.persistence.journal;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageEvent;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.persistence.journal.proto.ImageBuildFailed;
import dev.troupe.persistence.journal.proto.ImageBuilt;
import dev.troupe.persistence.journal.proto.ImageDefined;
import dev.troupe.persistence.journal.proto.ImageDeleted;
import dev.troupe.persistence.journal.proto.ImageRenewed;
import dev.troupe.persistence.journal.proto.ImageRun;
import dev.troupe.persistence.store.Micros;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Events of images. */
final class ImageEvents implements EventCodec<ImageEvent> {

  private static final String DEFINED = "image.defined@1";
  private static final String BUILT = "image.built@1";
  private static final String BUILD_FAILED = "image.build-failed@1";
  private static final String RENEWED = "image.renewed@1";
  private static final String DELETED = "image.deleted@1";

  @Override
  public Class<ImageEvent> type() {
    return ImageEvent.class;
  }

  @Override
  public String manifest(ImageEvent event) {
    return switch (event) {
      case ImageEvent.ImageDefined _ -> DEFINED;
      case ImageEvent.ImageBuilt _ -> BUILT;
      case ImageEvent.BuildFailed _ -> BUILD_FAILED;
      case ImageEvent.ImageRenewed _ -> RENEWED;
      case ImageEvent.ImageDeleted _ -> DELETED;
    };
  }

  @Override
  public MessageLite message(ImageEvent event) {
    return switch (event) {
      case ImageEvent.ImageDefined(var layer, var at) -> defined(layer, at);
      case ImageEvent.ImageBuilt(var facts, var run, var at) -> built(facts, run, at);
      case ImageEvent.BuildFailed(var why, var run, var at) -> failed(why, run, at);
      case ImageEvent.ImageRenewed(var by, var at) ->
          ImageRenewed.newBuilder().setBy(by.value()).setAt(Micros.of(at)).build();
      case ImageEvent.ImageDeleted(var at) ->
          ImageDeleted.newBuilder().setAt(Micros.of(at)).build();
    };
  }

  @Override
  public Map<String, Reader<ImageEvent>> readers() {
    return Map.of(
        DEFINED, bytes -> defined(ImageDefined.parseFrom(bytes)),
        BUILT, bytes -> built(ImageBuilt.parseFrom(bytes)),
        BUILD_FAILED, bytes -> failed(ImageBuildFailed.parseFrom(bytes)),
        RENEWED, bytes -> renewed(ImageRenewed.parseFrom(bytes)),
        DELETED, bytes -> deleted(ImageDeleted.parseFrom(bytes)));
  }

  private static ImageDefined defined(Layer layer, Instant at) {
    ImageDefined.Builder message =
        ImageDefined.newBuilder()
            .setImage(layer.image().value())
            .setDefinition(ByteString.copyFrom(layer.definition()))
            .setBuilderVersion(layer.builderVersion())
            .setAnew(layer.anew())
            .setAt(Micros.of(at));
    if (layer.base() != null) {
      message.setBase(layer.base().value());
    }
    if (layer.buildFunction() != null) {
      message.setBuildFunction(layer.buildFunction().value());
    }
    return message.build();
  }

  private static ImageEvent defined(ImageDefined message) {
    return new ImageEvent.ImageDefined(
        new Layer(
            new ImageId(message.getImage()),
            message.hasBase() ? new ImageId(message.getBase()) : null,
            message.getDefinition().toByteArray(),
            message.getBuilderVersion(),
            message.hasBuildFunction() ? new FunctionId(message.getBuildFunction()) : null,
            message.getAnew()),
        Micros.toInstant(message.getAt()));
  }

  private static ImageBuilt built(ImageFacts facts, @Nullable Run run, Instant at) {
    ImageBuilt.Builder message =
        ImageBuilt.newBuilder()
            .setPythonVersion(facts.pythonVersion())
            .setWorkdir(facts.workdir())
            .setLibcVersion(facts.libcVersion())
            .setBuilderVersion(facts.builderVersion())
            .setAt(Micros.of(at));
    return run == null ? message.build() : message.setRun(run(run)).build();
  }

  private static ImageBuildFailed failed(String why, @Nullable Run run, Instant at) {
    ImageBuildFailed.Builder message =
        ImageBuildFailed.newBuilder().setWhy(why).setAt(Micros.of(at));
    return run == null ? message.build() : message.setRun(run(run)).build();
  }

  private static ImageRun run(Run run) {
    return ImageRun.newBuilder()
        .setBuild(run.build())
        .setSince(Micros.of(run.since()))
        .setUntil(Micros.of(run.until()))
        .build();
  }

  private static Run run(ImageRun message) {
    return new Run(
        message.getBuild(),
        Micros.toInstant(message.getSince()),
        Micros.toInstant(message.getUntil()));
  }

  private static ImageEvent built(ImageBuilt message) {
    return new ImageEvent.ImageBuilt(
        new ImageFacts(
            message.getPythonVersion(),
            message.getWorkdir(),
            message.getLibcVersion(),
            message.getBuilderVersion()),
        message.hasRun() ? run(message.getRun()) : null,
        Micros.toInstant(message.getAt()));
  }

  private static ImageEvent failed(ImageBuildFailed message) {
    return new ImageEvent.BuildFailed(
        message.getWhy(),
        message.hasRun() ? run(message.getRun()) : null,
        Micros.toInstant(message.getAt()));
  }

  private static ImageEvent renewed(ImageRenewed message) {
    return new ImageEvent.ImageRenewed(
        new ImageId(message.getBy()), Micros.toInstant(message.getAt()));
  }

  private static ImageEvent deleted(ImageDeleted message) {
    return new ImageEvent.ImageDeleted(Micros.toInstant(message.getAt()));
  }
}
