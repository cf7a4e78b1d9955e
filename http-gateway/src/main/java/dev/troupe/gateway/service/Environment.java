package dev.troupe.gateway.service;

import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.Ids;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An environment.
 *
 * <p>What is in it is kept under its key everywhere: in apps, secrets, definitions, the directory.
 * A key is its environment's first name, and stays when the name changes; one that is taken then,
 * since the environment of that first name has another one now, has a number behind it.
 *
 * @param name by which clients know it
 * @param key never shown, and never part of a request
 */
record Environment(String name, String key, Instant createdAt, Map<String, String> attributes) {

  private static final String ID_PREFIX = "en-";

  /** Between a first name and a number; in no name. */
  private static final char NUMBERED = '~';

  /** Attribute: its key; absent where that is its name. */
  private static final String KEY = "key";

  /** Attribute: names it had, which its containers may still call it by. */
  private static final String EARLIER_NAMES = "earlier-names";

  private static final int NAMES_LIMIT = 16;

  /** Attribute: the request that made it, so that its repeat is answered like the first. */
  private static final String MADE_BY = "made-by";

  /** Attribute: the request that gave it its name, likewise. */
  private static final String RENAMED_BY = "renamed-by";

  /** Attribute: it is being deleted, and can't be used any more. */
  private static final String DELETING = "deleting";

  /** Attribute: the image builder version it wants; absent where it takes the server's. */
  private static final String BUILDER_VERSION = "image-builder-version";

  /** As the directory has it. */
  static Environment of(Entry entry) {
    String key = entry.attributes().getOrDefault(KEY, entry.name());
    return new Environment(entry.name(), key, entry.createdAt(), entry.attributes());
  }

  /** A new one, without settings. */
  static Environment named(String name, String key, Instant createdAt, String request) {
    Map<String, String> attributes = new HashMap<>();
    if (!request.isEmpty()) {
      attributes.put(MADE_BY, request);
    }
    if (!key.equals(name)) {
      attributes.put(KEY, key);
    }
    return new Environment(name, key, createdAt, Map.copyOf(attributes));
  }

  /** The id of the environment of a key. */
  static String id(String key) {
    return ID_PREFIX + Ids.contentKey("environment", key);
  }

  /** The key of an environment whose first name was that of so many others before it. */
  static String key(String firstName, int others) {
    return others == 0 ? firstName : firstName + NUMBERED + others;
  }

  /** Whether a name looks like an id. */
  static boolean isLikeAnId(String name) {
    return name.toLowerCase(java.util.Locale.ROOT).startsWith(ID_PREFIX);
  }

  String id() {
    return id(key);
  }

  /** For the directory. */
  Entry entry() {
    return new Entry(Kind.ENVIRONMENT, "", name, id(), createdAt, attributes);
  }

  /** The same with other attributes. */
  Environment withAttributes(Map<String, String> others) {
    return new Environment(name, key, createdAt, others);
  }

  /** The same under another name, which this request gave it. */
  Environment renamed(String newName, String request) {
    Map<String, String> changed = new HashMap<>(attributes);
    List<String> names = new ArrayList<>(earlierNames());
    names.remove(name);
    names.add(name);
    int first = Math.max(0, names.size() - NAMES_LIMIT);
    changed.put(EARLIER_NAMES, String.join(",", names.subList(first, names.size())));
    changed.put(KEY, key);
    changed.put(RENAMED_BY, request);
    return new Environment(newName, key, createdAt, Map.copyOf(changed));
  }

  /** Whether one of its own containers may mean it by this name. */
  boolean isKnownToItsContainersAs(String called) {
    return called.equals(name) || called.equals(key) || earlierNames().contains(called);
  }

  private List<String> earlierNames() {
    String names = attributes.getOrDefault(EARLIER_NAMES, "");
    return names.isEmpty() ? List.of() : List.of(names.split(","));
  }

  /** The image builder version it wants, if it wants one of its own. */
  Optional<String> builderVersion() {
    return Optional.ofNullable(attributes.get(BUILDER_VERSION));
  }

  /** The same, wanting this image builder version; empty: the server's own. */
  Environment withBuilderVersion(String version) {
    Map<String, String> changed = new HashMap<>(attributes);
    changed.put(BUILDER_VERSION, version);
    changed.values().removeIf(String::isEmpty);
    return withAttributes(Map.copyOf(changed));
  }

  /** Whether this request made it. */
  boolean isMadeBy(String request) {
    return request.equals(attributes.get(MADE_BY));
  }

  /** Whether this request gave it the name it has. */
  boolean isRenamedBy(String request) {
    return request.equals(attributes.get(RENAMED_BY));
  }

  boolean isBeingDeleted() {
    return attributes.containsKey(DELETING);
  }

  /** The same, marked as one that nobody is to use any more. */
  Environment beingDeleted() {
    Map<String, String> changed = new HashMap<>(attributes);
    changed.put(DELETING, "true");
    return withAttributes(Map.copyOf(changed));
  }

  /**
   * Whether something listed under its key is of this one, and not of an earlier one of that key,
   * which was deleted.
   */
  boolean holds(Entry thing) {
    return !thing.createdAt().isBefore(createdAt);
  }
}
