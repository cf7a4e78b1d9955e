package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.AppId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;

/** Finds apps, and says clearly which one is not there. */
final class Apps {

  /** Other environments that are looked into for a name that is missing in one. */
  private static final int OTHERS_LIMIT = 20;

  private final Entities entities;
  private final Directory directory;
  private final Environments environments;
  private final Duration askTimeout;

  Apps(World world) {
    this.entities = world.entities();
    this.directory = world.directory();
    this.environments = world.environments();
    this.askTimeout = world.settings().askTimeout();
  }

  /** What is asked of an app. */
  @FunctionalInterface
  interface Ask {
    AppProtocol.Command to(ActorRef<AppReply> replyTo);
  }

  /** Asks an app; NOT_FOUND where there is none, FAILED_PRECONDITION where it has ended. */
  CompletionStage<AppView> ask(AppId app, Ask ask) {
    return entities
        .app(app)
        .<AppReply>ask(ask::to, askTimeout)
        .thenApply(
            reply ->
                switch (reply) {
                  case AppReply.Ok(var view) -> view;
                  case AppReply.NoApp(var missing) -> throw missing(missing);
                  case AppReply.Ended(var ended, var why) ->
                      throw RpcFailure.precondition(
                          "App '%s' has ended: %s.".formatted(ended, why));
                });
  }

  /** An app that is there and that the caller may see. */
  CompletionStage<AppView> require(RpcContext context, AppId app) {
    return ask(app, AppProtocol.Describe::new)
        .thenApply(
            view -> {
              context.requireWithin(view.environment());
              return view;
            });
  }

  /** The deployed app of a name; NOT_FOUND where there is none, saying where there is one. */
  CompletionStage<AppView> requireDeployed(Environment there, String name) {
    return find(there, name)
        .thenCompose(
            found ->
                found
                    .filter(app -> app.phase() == Phase.DEPLOYED)
                    .map(CompletableFuture::completedStage)
                    .orElseGet(() -> fail(there, name)));
  }

  /** The app that has, or had last, a name; whatever its phase. */
  CompletionStage<Optional<AppView>> find(Environment there, String name) {
    return directory
        .find(Kind.APP, there.key(), name)
        .thenApply(found -> found.filter(there::holds))
        .thenCompose(
            found ->
                found
                    .map(entry -> describe(new AppId(entry.id())))
                    .orElseGet(() -> CompletableFuture.completedStage(Optional.empty())));
  }

  private CompletionStage<Optional<AppView>> describe(AppId app) {
    return entities
        .app(app)
        .<AppReply>ask(AppProtocol.Describe::new, askTimeout)
        .thenApply(
            reply -> reply instanceof AppReply.Ok(var view) ? Optional.of(view) : Optional.empty());
  }

  private <T> CompletionStage<T> fail(Environment there, String name) {
    return elsewhere(there, name)
        .thenCompose(
            others ->
                CompletableFuture.failedStage(
                    RpcFailure.notFound(
                        "App '%.80s' is not deployed in environment '%s'%s"
                            .formatted(name, there.name(), hint(others)))));
  }

  private CompletionStage<List<String>> elsewhere(Environment there, String name) {
    return environments
        .list()
        .thenCompose(
            all -> {
              List<CompletableFuture<Optional<String>>> lookups =
                  all.stream()
                      .filter(other -> !other.key().equals(there.key()))
                      .limit(OTHERS_LIMIT)
                      .map(other -> nameIfThere(other, name).toCompletableFuture())
                      .toList();
              return CompletableFuture.allOf(lookups.toArray(CompletableFuture[]::new))
                  .thenApply(
                      _ ->
                          lookups.stream()
                              .map(CompletableFuture::join)
                              .flatMap(Optional::stream)
                              .toList());
            });
  }

  private CompletionStage<Optional<String>> nameIfThere(Environment other, String app) {
    return directory
        .find(Kind.APP, other.key(), app)
        .thenApply(found -> found.map(_ -> other.name()));
  }

  /** What follows; the client puts a full stop behind it. */
  private static String hint(List<String> others) {
    return others.isEmpty()
        ? ""
        : ". There is one of that name in "
            + String.join(", ", others.stream().map("'%s'"::formatted).toList());
  }

  static RpcFailure missing(AppId app) {
    return RpcFailure.notFound("App '%s' does not exist.".formatted(app));
  }

  /** The names by which something of an app is found: the client puts a full stop behind it. */
  static String names(Stream<String> names) {
    List<String> sorted = names.sorted().limit(20).toList();
    return sorted.isEmpty() ? "It has none" : "It has: " + String.join(", ", sorted);
  }
}
