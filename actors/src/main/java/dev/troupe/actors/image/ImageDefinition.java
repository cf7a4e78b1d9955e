package dev.troupe.actors.image;

import java.util.List;
import java.util.Set;

/**
 * One layer of an image as a client defines it, as far as a build depends on it.
 *
 * @param lines of its Dockerfile
 * @param baseTags names under which {@code FROM} may mean another image of the client
 * @param contextFiles absolute names of files that came with the definition
 */
public record ImageDefinition(
    List<String> lines, Set<String> baseTags, Set<String> contextFiles, Set<Extra> extras) {

  public ImageDefinition {
    lines = List.copyOf(lines);
    baseTags = Set.copyOf(baseTags);
    contextFiles = Set.copyOf(contextFiles);
    extras = Set.copyOf(extras);
  }

  /** What a definition can have besides its Dockerfile. */
  public enum Extra {
    CONTEXT_MOUNT("files copied into the image (copy=True)"),
    BUILD_FUNCTION("run_function"),
    SECRETS("secrets of a build step"),
    VOLUMES("volumes of a build step"),
    GPU("a GPU for a build step"),
    REGISTRY_CREDENTIALS("a private registry"),
    BUILD_ARGUMENTS("build arguments");

    private final String words;

    Extra(String words) {
      this.words = words;
    }

    /** As a user would call it. */
    public String words() {
      return words;
    }
  }
}
