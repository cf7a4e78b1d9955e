package dev.troupe.actors.image;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One layer of an image as a client defines it, as far as a build depends on it.
 *
 * @param lines of its Dockerfile; each may hold several
 * @param baseTags names under which {@code FROM} may mean another image of the client
 * @param arguments values of {@code ARG}s
 * @param byFunction a function makes the layer, not build steps
 */
public record ImageDefinition(
    List<String> lines,
    Set<String> baseTags,
    Map<String, String> arguments,
    boolean byFunction,
    Set<Extra> extras) {

  public ImageDefinition {
    lines = List.copyOf(lines);
    baseTags = Set.copyOf(baseTags);
    arguments = Map.copyOf(arguments);
    extras = Set.copyOf(extras);
  }

  /** What a definition can have besides its Dockerfile, and no build here can give it yet. */
  public enum Extra {
    VOLUMES("volumes of a build step"),
    GPU("a GPU for a build step"),
    FOREIGN_SIGN_IN("signing in to a registry by an account of AWS or Google");

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
