package dev.troupe.gateway.service;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The environments there are: the default one, and those that somebody made. */
public final class Environments {

  /** Environments that listings show. */
  static final int LIMIT = 1_000;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");

  private final Directory directory;
  private final InstantSource clock;
  private final String defaultName;

  /** Environments of this directory. */
  Environments(Directory directory, InstantSource clock, String defaultName) {
    this.directory = directory;
    this.clock = clock;
    this.defaultName = defaultName;
  }

  // ---- finding

  /**
   * The environment a request means: the one it names, else the caller's own; NOT_FOUND with a
   * sentence where there is none. A container reaches no other than its own, which it may call by
   * any name that it had.
   */
  CompletionStage<Environment> meant(RpcContext context, String name) {
    if (context.caller() instanceof Caller.Task task) {
      return own(task.environment(), name);
    }
    return require(name.isEmpty() ? context.caller().environment() : name);
  }

  private CompletionStage<Environment> own(String key, String called) {
    CompletionStage<Environment> own =
        isDefault(key)
            ? CompletableFuture.completedStage(defaultOne())
            : ofKey(key)
                .thenApply(
                    found -> found.filter(Environments::isUsable).orElseThrow(() -> missing(key)));
    return own.thenApply(
        environment -> {
          if (!called.isEmpty() && !environment.isKnownToItsContainersAs(called)) {
            throw RpcFailure.denied(
                "A container of environment '%s' may not reach into environment '%.80s'."
                    .formatted(environment.name(), called));
          }
          return environment;
        });
  }

  /** The environment of a name; NOT_FOUND with a sentence where there is none. */
  CompletionStage<Environment> require(String name) {
    if (isDefault(name)) {
      return CompletableFuture.completedStage(defaultOne());
    }
    return find(name)
        .thenApply(found -> found.filter(Environments::isUsable).orElseThrow(() -> missing(name)));
  }

  /** The same with its settings, which the default one may have, too. */
  CompletionStage<Environment> withSettings(Environment environment) {
    return isDefault(environment.key())
        ? find(defaultName).thenApply(this::withDefault)
        : CompletableFuture.completedStage(environment);
  }

  /** The name of the environment of a key: the key where that environment is gone. */
  public CompletionStage<String> nameOf(String key) {
    return isDefault(key)
        ? CompletableFuture.completedStage(defaultName)
        : ofKey(key).thenApply(found -> found.map(Environment::name).orElse(key));
  }

  private CompletionStage<Optional<Environment>> find(String name) {
    return directory
        .find(Kind.ENVIRONMENT, "", name)
        .thenApply(found -> found.map(Environment::of));
  }

  private CompletionStage<Optional<Environment>> ofKey(String key) {
    return directory
        .byId(Kind.ENVIRONMENT, Environment.id(key))
        .thenApply(found -> found.map(Environment::of));
  }

  /** All of them, the default one first. */
  CompletionStage<List<Environment>> list() {
    return directory
        .list(Kind.ENVIRONMENT, "", LIMIT)
        .thenApply(
            entries -> {
              List<Environment> made = entries.stream().map(Environment::of).toList();
              return Stream.concat(
                      Stream.of(
                          withDefault(made.stream().filter(at -> isDefault(at.key())).findFirst())),
                      made.stream().filter(at -> !isDefault(at.key()) && isUsable(at)))
                  .toList();
            });
  }

  // ---- making and changing

  /** The environment of a name, made where there is none. */
  CompletionStage<Environment> ensure(String name) {
    return isDefault(name) ? require(name) : claim(name, "");
  }

  /** A new environment; {@code request} tells the repeat of a request from a second one. */
  CompletionStage<Environment> create(String name, String request) {
    if (isDefault(name)) {
      throw exists(defaultName);
    }
    return claim(name, request)
        .thenApply(
            environment -> {
              if (!environment.isMadeBy(request)) {
                throw exists(name);
              }
              return environment;
            });
  }

  private CompletionStage<Environment> claim(String name, String request) {
    requireFit(name);
    return claim(name, request, 0)
        .thenApply(
            environment -> {
              if (environment.isBeingDeleted()) {
                throw RpcFailure.precondition(
                    ("Environment '%s' is being deleted. Where that was broken off, delete it"
                            + " again; then it can be made anew.")
                        .formatted(name));
              }
              return environment;
            });
  }

  /** Under the first key that no environment of another name has. */
  private CompletionStage<Environment> claim(String name, String request, int others) {
    String key = Environment.key(name, others);
    return ofKey(key)
        .thenCompose(
            holder ->
                holder.isPresent() && !holder.get().name().equals(name)
                    ? claim(name, request, others + 1)
                    : directory
                        .claim(Environment.named(name, key, clock.instant(), request).entry())
                        .thenApply(Environment::of));
  }

  private static void requireFit(String name) {
    if (!NAME.matcher(name).matches() || Environment.isLikeAnId(name)) {
      throw RpcFailure.invalid(
          "'%.80s' can't be the name of an environment: use up to 64 letters, digits, dashes and"
                  .formatted(name)
              + " underscores, and no 'en-' at the start.");
    }
  }

  /**
   * Gives an environment another name, under which it has all that it had; ALREADY_EXISTS where one
   * has that. {@code request} tells the repeat of a request.
   */
  CompletionStage<Environment> rename(String current, String name, String request) {
    return find(current)
        .thenCombine(
            find(name),
            (there, already) ->
                there.isEmpty() && already.isPresent() && already.get().isRenamedBy(request)
                    ? CompletableFuture.completedStage(already.get())
                    : require(current).thenCompose(found -> rename(found, name, request)))
        .thenCompose(renamed -> renamed);
  }

  private CompletionStage<Environment> rename(
      Environment environment, String name, String request) {
    if (isDefault(environment.key())) {
      throw RpcFailure.precondition(
          "Environment '%s' is the default one, and keeps its name.".formatted(defaultName));
    }
    requireFit(name);
    if (isDefault(name)) {
      throw exists(defaultName);
    }
    Environment renamed = environment.renamed(name, request);
    return directory
        .rename(renamed.entry())
        .thenApply(
            done -> {
              if (!done) {
                throw exists(name);
              }
              return renamed;
            });
  }

  /** Sets the image builder version; empty: the server's own. */
  CompletionStage<Environment> setBuilderVersion(Environment environment, String version) {
    Environment changed = environment.withBuilderVersion(version);
    return (isDefault(environment.key())
            ? directory.put(changed.entry())
            : directory.update(Kind.ENVIRONMENT, changed.id(), changed.attributes()))
        .thenApply(_ -> changed);
  }

  /**
   * Marks an environment as one that is being deleted: from now on nobody finds it. NOT_FOUND where
   * there is none; one that is marked already is given again.
   */
  CompletionStage<Environment> beginDeletion(String name) {
    if (isDefault(name)) {
      throw RpcFailure.precondition(
          "Environment '%s' is the default one and can't be deleted.".formatted(defaultName));
    }
    return find(name)
        .thenApply(found -> found.orElseThrow(() -> missing(name)).beingDeleted())
        .thenCompose(
            marked ->
                directory
                    .update(Kind.ENVIRONMENT, marked.id(), marked.attributes())
                    .thenApply(_ -> marked));
  }

  /** Forgets an environment that is empty. */
  CompletionStage<Void> endDeletion(Environment environment) {
    return directory.remove(Kind.ENVIRONMENT, environment.id());
  }

  // ----

  private boolean isDefault(String name) {
    return name.isEmpty() || name.equals(defaultName);
  }

  private static boolean isUsable(Environment environment) {
    return !environment.isBeingDeleted();
  }

  /** The default one is there without an entry; it has one where it has settings. */
  private Environment withDefault(Optional<Environment> found) {
    return found
        .map(entry -> defaultOne().withAttributes(entry.attributes()))
        .orElseGet(this::defaultOne);
  }

  private Environment defaultOne() {
    return Environment.named(defaultName, defaultName, Instant.EPOCH, "");
  }

  private static RpcFailure exists(String name) {
    return RpcFailure.exists("Environment '%s' exists already.".formatted(name));
  }

  private static RpcFailure missing(String name) {
    return RpcFailure.notFound(
        "Environment '%.80s' does not exist; `modal environment create` makes it.".formatted(name));
  }
}
