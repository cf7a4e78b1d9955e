package dev.troupe.gateway.service;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.Ids;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The environments there are: the default one, and those that somebody made. */
final class Environments {

  /** Environments that listings show. */
  static final int LIMIT = 1_000;

  private static final String ID_PREFIX = "en-";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");

  /** Attribute: the request that made it, so that its repeat is answered like the first. */
  private static final String MADE_BY = "made-by";

  /** Attribute: it is being deleted, and can't be used any more. */
  private static final String DELETING = "deleting";

  /** Attribute: the image builder version it wants; absent where it takes the server's. */
  private static final String BUILDER_VERSION = "image-builder-version";

  private final Directory directory;
  private final InstantSource clock;
  private final String defaultName;

  /** Environments of this directory. */
  Environments(Directory directory, InstantSource clock, String defaultName) {
    this.directory = directory;
    this.clock = clock;
    this.defaultName = defaultName;
  }

  /** The environment of a name; NOT_FOUND with a sentence where there is none. */
  CompletionStage<Entry> require(String name) {
    if (isDefault(name)) {
      return CompletableFuture.completedStage(defaultEntry());
    }
    return directory
        .find(Kind.ENVIRONMENT, "", name)
        .thenApply(
            found -> found.filter(entry -> !isDeleting(entry)).orElseThrow(() -> missing(name)));
  }

  /** The same with its settings, which the default one may have, too. */
  CompletionStage<Entry> requireWithSettings(String name) {
    if (!isDefault(name)) {
      return require(name);
    }
    return directory.find(Kind.ENVIRONMENT, "", defaultName).thenApply(found -> withDefault(found));
  }

  /** The environment of a name, made where there is none. */
  CompletionStage<Entry> ensure(String name) {
    return isDefault(name) ? requireWithSettings(name) : claim(name, "");
  }

  /** A new environment; {@code request} tells the repeat of a request from a second one. */
  CompletionStage<Entry> create(String name, String request) {
    if (isDefault(name)) {
      throw exists(defaultName);
    }
    return claim(name, request)
        .thenApply(
            entry -> {
              if (!request.equals(entry.attributes().get(MADE_BY))) {
                throw exists(name);
              }
              return entry;
            });
  }

  private CompletionStage<Entry> claim(String name, String request) {
    if (!NAME.matcher(name).matches()
        || name.toLowerCase(java.util.Locale.ROOT).startsWith(ID_PREFIX)) {
      throw RpcFailure.invalid(
          "'%.80s' can't be the name of an environment: use up to 64 letters, digits, dashes and"
                  .formatted(name)
              + " underscores, and no '%s' at the start.".formatted(ID_PREFIX));
    }
    return directory
        .claim(
            entry(name, clock.instant(), request.isEmpty() ? Map.of() : Map.of(MADE_BY, request)))
        .thenApply(
            entry -> {
              if (isDeleting(entry)) {
                throw RpcFailure.precondition(
                    ("Environment '%s' is being deleted. Where that was broken off, delete it"
                            + " again; then it can be made anew.")
                        .formatted(name));
              }
              return entry;
            });
  }

  /** Sets the image builder version; empty: the server's own. */
  CompletionStage<Entry> setBuilderVersion(Entry environment, String version) {
    Map<String, String> attributes = new HashMap<>(environment.attributes());
    attributes.put(BUILDER_VERSION, version);
    attributes.values().removeIf(String::isEmpty);
    Entry changed = environment.withAttributes(Map.copyOf(attributes));
    return directory.put(changed).thenApply(_ -> changed);
  }

  /** The image builder version it wants, if it wants one of its own. */
  static Optional<String> builderVersion(Entry environment) {
    return Optional.ofNullable(environment.attributes().get(BUILDER_VERSION));
  }

  /**
   * Marks an environment as one that is being deleted: from now on nobody finds it. NOT_FOUND where
   * there is none; one that is marked already is given again.
   */
  CompletionStage<Entry> beginDeletion(String name) {
    if (isDefault(name)) {
      throw RpcFailure.precondition(
          "Environment '%s' is the default one and can't be deleted.".formatted(defaultName));
    }
    return directory
        .find(Kind.ENVIRONMENT, "", name)
        .thenApply(found -> found.orElseThrow(() -> missing(name)))
        .thenCompose(
            entry -> {
              Map<String, String> attributes = new HashMap<>(entry.attributes());
              attributes.put(DELETING, "true");
              return directory
                  .update(Kind.ENVIRONMENT, entry.id(), attributes)
                  .thenApply(_ -> entry);
            });
  }

  /** Forgets an environment that is empty. */
  CompletionStage<Void> endDeletion(Entry environment) {
    return directory.remove(Kind.ENVIRONMENT, environment.id());
  }

  /** All of them, the default one first. */
  CompletionStage<List<Entry>> list() {
    return directory
        .list(Kind.ENVIRONMENT, "", LIMIT)
        .thenApply(
            made ->
                Stream.concat(
                        Stream.of(
                            withDefault(
                                made.stream().filter(at -> isDefault(at.name())).findFirst())),
                        made.stream().filter(at -> !isDefault(at.name()) && !isDeleting(at)))
                    .toList());
  }

  /**
   * Whether something listed under an environment's name is of this one, and not of an earlier one
   * of that name, which was deleted.
   */
  static boolean holds(Entry environment, Entry thing) {
    return !thing.createdAt().isBefore(environment.createdAt());
  }

  private boolean isDefault(String name) {
    return name.isEmpty() || name.equals(defaultName);
  }

  private static boolean isDeleting(Entry entry) {
    return entry.attributes().containsKey(DELETING);
  }

  /** The default one is there without an entry; it has one where it has settings. */
  private Entry withDefault(Optional<Entry> found) {
    return found
        .map(entry -> defaultEntry().withAttributes(entry.attributes()))
        .orElseGet(this::defaultEntry);
  }

  private Entry defaultEntry() {
    return entry(defaultName, Instant.EPOCH, Map.of());
  }

  private static Entry entry(String name, Instant createdAt, Map<String, String> attributes) {
    String id = ID_PREFIX + Ids.contentKey("environment", name);
    return new Entry(Kind.ENVIRONMENT, "", name, id, createdAt, attributes);
  }

  private static RpcFailure exists(String name) {
    return RpcFailure.exists("Environment '%s' exists already.".formatted(name));
  }

  private static RpcFailure missing(String name) {
    return RpcFailure.notFound(
        "Environment '%.80s' does not exist; `modal environment create` makes it.".formatted(name));
  }
}
