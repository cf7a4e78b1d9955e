package dev.troupe.gateway.service;

import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.BuildSteps;
import dev.troupe.actors.image.ImageDefinition;
import dev.troupe.actors.image.ImageDefinition.Extra;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.Line;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.modal.BaseImage;
import dev.troupe.protocol.modal.FileDescriptor;
import dev.troupe.protocol.modal.GenericResult;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import dev.troupe.protocol.modal.Image;
import dev.troupe.protocol.modal.ImageGetOrCreateRequest;
import dev.troupe.protocol.modal.ImageMetadata;
import dev.troupe.protocol.modal.RegistryAuthType;
import dev.troupe.protocol.modal.TaskLogs;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Images, between the client's words and ours. */
final class ImageDefinitions {

  private ImageDefinitions() {}

  /** The layer that is asked for; UNIMPLEMENTED with a sentence where it can't be built. */
  static Layer layer(ImageGetOrCreateRequest request, String builderVersion) {
    Image image = request.getImage();
    BuildSteps steps = BuildSteps.parse(definition(image));
    if (steps instanceof BuildSteps.Unsupported(var sentence)) {
      throw RpcFailure.unimplemented(sentence);
    }
    byte[] bytes = Canonical.bytes(image);
    FunctionId function =
        steps instanceof BuildSteps.ByFunction
            ? new FunctionId(request.getBuildFunctionId())
            : null;
    return new Layer(
        id(bytes, builderVersion), base(image), bytes, builderVersion, function, false);
  }

  /** The same as an image of its own, whose build uses nothing that was kept. */
  static Layer anew(Layer layer, ImageId image) {
    return new Layer(
        image,
        layer.base(),
        layer.definition(),
        layer.builderVersion(),
        layer.buildFunction(),
        true);
  }

  /** The id of a definition: equal definitions are one image. */
  private static ImageId id(byte[] canonical, String builderVersion) {
    return new ImageId(
        ImageId.PREFIX + Ids.contentKey("image", Canonical.sha256Hex(canonical), builderVersion));
  }

  private static @Nullable ImageId base(Image image) {
    return switch (image.getBaseImagesCount()) {
      case 0 -> null;
      case 1 -> new ImageId(image.getBaseImages(0).getImageId());
      default ->
          throw RpcFailure.unimplemented("Troupe does not build an image from several others yet.");
    };
  }

  /** A definition as far as its build depends on it. */
  static ImageDefinition definition(Image image) {
    Set<Extra> extras = EnumSet.noneOf(Extra.class);
    add(extras, Extra.VOLUMES, image.getVolumeMountsCount() > 0);
    add(extras, Extra.GPU, image.getGpuConfig().getCount() > 0);
    RegistryAuthType signIn = image.getImageRegistryConfig().getRegistryAuthType();
    add(
        extras,
        Extra.FOREIGN_SIGN_IN,
        signIn == RegistryAuthType.REGISTRY_AUTH_TYPE_AWS
            || signIn == RegistryAuthType.REGISTRY_AUTH_TYPE_GCP);
    return new ImageDefinition(
        image.getDockerfileCommandsList(),
        image.getBaseImagesList().stream()
            .map(BaseImage::getDockerTag)
            .collect(Collectors.toUnmodifiableSet()),
        image.getBuildArgsMap(),
        image.hasBuildFunction(),
        extras);
  }

  private static void add(Set<Extra> extras, Extra extra, boolean present) {
    if (present) {
      extras.add(extra);
    }
  }

  /** What a client is told of a built image. */
  static ImageMetadata metadata(ImageFacts facts) {
    ImageMetadata.Builder metadata =
        ImageMetadata.newBuilder().setImageBuilderVersion(facts.builderVersion());
    if (!facts.pythonVersion().isEmpty()) {
      metadata.setPythonVersionInfo(facts.pythonVersion());
    }
    if (!facts.workdir().isEmpty()) {
      metadata.setWorkdir(facts.workdir());
    }
    if (!facts.libcVersion().isEmpty()) {
      metadata.setLibcVersionInfo(facts.libcVersion());
    }
    return metadata.build();
  }

  /** The result of a build that succeeded. */
  static GenericResult success() {
    return GenericResult.newBuilder().setStatus(GenericStatus.GENERIC_STATUS_SUCCESS).build();
  }

  /** The result of a build that failed. */
  static GenericResult failure(String why) {
    return GenericResult.newBuilder()
        .setStatus(GenericStatus.GENERIC_STATUS_FAILURE)
        .setException(why)
        .build();
  }

  /** A line of the build log. */
  static TaskLogs line(Line line) {
    return TaskLogs.newBuilder()
        .setData(line.text())
        .setFileDescriptor(descriptor(line.stream()))
        .setTimestamp(Outputs.seconds(line.at()))
        .build();
  }

  /** Where a line was written: 1 stdout, 2 stderr, else a word of the platform. */
  static FileDescriptor descriptor(int stream) {
    return switch (stream) {
      case 1 -> FileDescriptor.FILE_DESCRIPTOR_STDOUT;
      case 2 -> FileDescriptor.FILE_DESCRIPTOR_STDERR;
      default -> FileDescriptor.FILE_DESCRIPTOR_INFO;
    };
  }
}
