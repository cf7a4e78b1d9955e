package dev.troupe.gateway.service;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.Ids;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The environments there are: the default one, and those that somebody made. */
final class Environments {

  /** Environments that listings show. */
  static final int LIMIT = 1_000;

  private static final String ID_PREFIX = "en-";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

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
    if (name.isEmpty() || name.equals(defaultName)) {
      return CompletableFuture.completedStage(defaultEntry());
    }
    return directory
        .find(Kind.ENVIRONMENT, "", name)
        .thenApply(found -> found.orElseThrow(() -> missing(name)));
  }

  /** The environment of a name, made where there is none. */
  CompletionStage<Entry> ensure(String name) {
    if (name.isEmpty() || name.equals(defaultName)) {
      return CompletableFuture.completedStage(defaultEntry());
    }
    if (!NAME.matcher(name).matches() || name.startsWith(ID_PREFIX)) {
      throw RpcFailure.invalid(
          "'%.80s' can't be the name of an environment: use up to 64 letters, digits, dots, dashes"
                  .formatted(name)
              + " and underscores, and no '%s' at the start.".formatted(ID_PREFIX));
    }
    return directory.claim(entry(name, clock.instant()));
  }

  /** All of them, the default one first. */
  CompletionStage<List<Entry>> list() {
    return directory
        .list(Kind.ENVIRONMENT, "", LIMIT)
        .thenApply(
            made ->
                Stream.concat(
                        Stream.of(defaultEntry()),
                        made.stream().filter(entry -> !entry.name().equals(defaultName)))
                    .toList());
  }

  private Entry defaultEntry() {
    return entry(defaultName, Instant.EPOCH);
  }

  private static Entry entry(String name, Instant createdAt) {
    String id = ID_PREFIX + Ids.contentKey("environment", name);
    return new Entry(Kind.ENVIRONMENT, "", name, id, createdAt, Map.of());
  }

  private static RpcFailure missing(String name) {
    return RpcFailure.notFound(
        "Environment '%.80s' does not exist; Environment.from_name(..., create_if_missing=True) makes"
                .formatted(name)
            + " it.");
  }
}
