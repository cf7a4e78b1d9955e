package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.function.FunctionProtocol.ContainerInfo;
import dev.troupe.actors.function.FunctionProtocol.Containers;
import dev.troupe.actors.function.FunctionProtocol.ListContainers;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Finds containers: those that functions have, and those that ended lately. */
final class KnownContainers {

  /** Entries that are looked through for apps that live. */
  private static final int LISTED = 10_000;

  private final World world;
  private final Apps apps;

  KnownContainers(World world, Apps apps) {
    this.world = world;
    this.apps = apps;
  }

  /** A container and the app it is of. */
  record Found(AppView app, FunctionId function, ContainerInfo container) {}

  /** Those of an environment. */
  CompletionStage<List<Found>> of(Environment there) {
    return world
        .directory()
        .list(Kind.APP, there.key(), LISTED)
        .thenCompose(
            entries ->
                Stages.each(
                    entries.stream().filter(there::holds).filter(AppViews::isAlive),
                    entry ->
                        apps.ask(new AppId(entry.id()), AppProtocol.Describe::new)
                            .thenCompose(this::of)))
        .thenApply(lists -> lists.stream().flatMap(List::stream).toList());
  }

  /** Of all functions of an app: variants, and those that a later version left behind, too. */
  CompletionStage<List<Found>> of(AppView app) {
    return Stages.each(
            app.objects().stream()
                .map(AppObject::id)
                .filter(id -> id.startsWith(FunctionId.PREFIX))
                .map(FunctionId::new),
            function -> of(app, function))
        .thenApply(lists -> lists.stream().flatMap(List::stream).toList());
  }

  private CompletionStage<List<Found>> of(AppView app, FunctionId function) {
    return world
        .entities()
        .function(function)
        .<Containers>ask(ListContainers::new, world.settings().askTimeout())
        .thenApply(
            reply ->
                reply.containers().stream()
                    .map(container -> new Found(app, function, container))
                    .toList());
  }

  /** One that ended lately, as the directory has it. */
  CompletionStage<Optional<Entry>> ended(TaskId task) {
    return world.directory().byId(Kind.ENDED_CONTAINER, task.value());
  }

  /** One that a function has, looked for in all environments. */
  CompletionStage<Optional<Found>> running(TaskId task) {
    return world
        .environments()
        .list()
        .thenCompose(all -> Stages.each(all.stream(), this::of))
        .thenApply(
            lists ->
                lists.stream()
                    .flatMap(List::stream)
                    .filter(found -> found.container().task().equals(task))
                    .findFirst());
  }

  /** What is known of one, and how, by whether it runs or has ended; empty where nothing is. */
  <T> CompletionStage<Optional<T>> find(
      TaskId task, Function<Found, T> running, Function<Entry, T> ended) {
    return ended(task)
        .thenCompose(
            over ->
                over.isPresent()
                    ? CompletableFuture.completedStage(over.map(ended))
                    : running(task)
                        .thenCompose(
                            found ->
                                found.isPresent()
                                    ? CompletableFuture.completedStage(found.map(running))
                                    // It may have ended while it was looked for.
                                    : ended(task).thenApply(late -> late.map(ended))));
  }
}
