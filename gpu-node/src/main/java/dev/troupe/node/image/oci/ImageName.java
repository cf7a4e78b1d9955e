package dev.troupe.node.image.oci;

import com.google.cloud.tools.jib.api.ImageReference;
import com.google.cloud.tools.jib.api.InvalidImageReferenceException;
import com.google.cloud.tools.jib.registry.RegistryAliasGroup;
import dev.troupe.node.image.BuildFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A whole name of an image: what a user writes, with the registry, the repository and the tag that
 * it leaves out. The rules are Jib's, which are Docker's.
 *
 * @param registry its host, and port if it has one of its own
 * @param tag empty where the name has a digest
 */
public record ImageName(
    String registry, String repository, Optional<String> tag, Optional<Digest> digest) {

  /** Reads what a user wrote. */
  public static ImageName parse(String text) throws BuildFailure {
    ImageReference reference;
    try {
      reference = ImageReference.parse(text.strip());
    } catch (InvalidImageReferenceException wrong) {
      throw new BuildFailure(
          "'%s' is no name of an image; one is [REGISTRY/]REPOSITORY[:TAG] or [REGISTRY/]REPOSITORY@sha256:DIGEST."
              .formatted(Printable.of(text)));
    }
    if (reference.isScratch()) {
      throw new BuildFailure("'scratch' is the empty image, which no registry has.");
    }
    Optional<String> digestText = reference.getDigest();
    Optional<Digest> digest = digestText.flatMap(Digest::read);
    Optional<String> tag =
        digest.isPresent()
            ? Optional.empty()
            : Optional.of(reference.getTag().orElse(reference.getQualifier()));
    return new ImageName(reference.getRegistry(), reference.getRepository(), tag, digest);
  }

  /** The same repository by digest. */
  ImageName at(Digest exact) {
    return new ImageName(registry, repository, Optional.empty(), Optional.of(exact));
  }

  /** The tag or digest, as a registry is asked for it. */
  String qualifier() {
    return digest.map(Digest::text).or(() -> tag).orElse("latest");
  }

  /** Other names that are in use for its registry, its own first. */
  List<String> registryAliases() {
    return new ArrayList<>(RegistryAliasGroup.getAliasesGroup(registry));
  }

  /** The host that answers for its registry. */
  String registryHost() {
    return RegistryAliasGroup.getHost(registry);
  }

  /** The registry of names that name none. */
  static String defaultRegistry() {
    return ImageReference.of(null, "x", null).getRegistry();
  }

  @Override
  public String toString() {
    return registry + "/" + repository + (digest.isPresent() ? "@" : ":") + qualifier();
  }
}
