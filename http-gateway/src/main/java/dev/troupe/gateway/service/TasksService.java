package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.function.EndedContainers;
import dev.troupe.actors.function.FunctionProtocol.ContainerInfo;
import dev.troupe.actors.function.FunctionProtocol.Containers;
import dev.troupe.actors.function.FunctionProtocol.ListContainers;
import dev.troupe.actors.function.FunctionProtocol.StopContainer;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.ContainerStopRequest;
import dev.troupe.protocol.modal.ContainerStopResponse;
import dev.troupe.protocol.modal.TaskGetInfoRequest;
import dev.troupe.protocol.modal.TaskGetInfoResponse;
import dev.troupe.protocol.modal.TaskInfo;
import dev.troupe.protocol.modal.TaskListRequest;
import dev.troupe.protocol.modal.TaskListResponse;
import dev.troupe.protocol.modal.TaskStats;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Containers, as those see them who list and stop them. */
final class TasksService implements RpcService {

  /** Entries that are looked through for apps that live. */
  private static final int LISTED = 10_000;

  private final World world;
  private final Apps apps;

  TasksService(World world, Apps apps) {
    this.world = world;
    this.apps = apps;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("TaskList", TaskListRequest.parser(), this::list)
        .unary("TaskGetInfo", TaskGetInfoRequest.parser(), this::info)
        .unary("ContainerStop", ContainerStopRequest.parser(), this::stop);
  }

  /** A container and the app it is of. */
  private record Found(AppView app, FunctionId function, ContainerInfo container) {}

  private CompletionStage<TaskListResponse> list(RpcContext context, TaskListRequest request) {
    CompletionStage<List<Found>> found =
        request.getAppId().isEmpty()
            ? ofEnvironment(context.environment(request.getEnvironmentName()))
            : apps.require(context, new AppId(request.getAppId())).thenCompose(this::ofApp);
    return found.thenApply(
        all ->
            TaskListResponse.newBuilder()
                .addAllTasks(all.stream().map(TasksService::stats).toList())
                .build());
  }

  private static TaskStats stats(Found found) {
    TaskStats.Builder stats =
        TaskStats.newBuilder()
            .setTaskId(found.container().task().value())
            .setAppId(found.app().app().value())
            .setAppDescription(AppViews.handle(found.app()).getDescription())
            .setEnqueuedAt(Outputs.seconds(found.container().wantedAt()));
    if (found.container().startedAt() != null) {
      stats.setStartedAt(Outputs.seconds(found.container().startedAt()));
    }
    return stats.build();
  }

  private CompletionStage<List<Found>> ofEnvironment(String environment) {
    return world
        .environments()
        .require(environment)
        .thenCompose(
            there ->
                world
                    .directory()
                    .list(Kind.APP, there.name(), LISTED)
                    .thenApply(
                        entries ->
                            entries.stream().filter(entry -> Environments.holds(there, entry))))
        .thenCompose(
            entries ->
                Stages.each(
                    entries.filter(AppViews::isAlive),
                    entry ->
                        apps.ask(new AppId(entry.id()), AppProtocol.Describe::new)
                            .thenCompose(this::ofApp)))
        .thenApply(lists -> lists.stream().flatMap(List::stream).toList());
  }

  /** Of all its functions: variants, and those that a later version left behind, too. */
  private CompletionStage<List<Found>> ofApp(AppView app) {
    return Stages.each(
            app.objects().stream()
                .map(AppObject::id)
                .filter(id -> id.startsWith(FunctionId.PREFIX))
                .map(FunctionId::new),
            function -> ofFunction(app, function))
        .thenApply(lists -> lists.stream().flatMap(List::stream).toList());
  }

  private CompletionStage<List<Found>> ofFunction(AppView app, FunctionId function) {
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

  // ---- one of them

  private CompletionStage<TaskGetInfoResponse> info(
      RpcContext context, TaskGetInfoRequest request) {
    TaskId task = new TaskId(request.getTaskId());
    return ended(task)
        .thenCompose(
            over ->
                over.isPresent()
                    ? CompletableFuture.completedStage(over.get())
                    : running(task).thenCompose(found -> info(task, found)));
  }

  private CompletionStage<TaskGetInfoResponse> info(TaskId task, Optional<Found> running) {
    if (running.isPresent()) {
      return CompletableFuture.completedStage(info(running.get()));
    }
    // It may have ended while it was looked for.
    return ended(task).thenApply(over -> over.orElseThrow(() -> missing(task)));
  }

  private static TaskGetInfoResponse info(Found found) {
    TaskStats stats = stats(found);
    return TaskGetInfoResponse.newBuilder()
        .setAppId(stats.getAppId())
        .setInfo(
            TaskInfo.newBuilder()
                .setId(stats.getTaskId())
                .setEnqueuedAt(stats.getEnqueuedAt())
                .setStartedAt(stats.getStartedAt()))
        .build();
  }

  private CompletionStage<Optional<TaskGetInfoResponse>> ended(TaskId task) {
    return world
        .directory()
        .byId(Kind.ENDED_CONTAINER, task.value())
        .thenApply(found -> found.map(TasksService::info));
  }

  private static TaskGetInfoResponse info(Entry over) {
    Map<String, String> attributes = over.attributes();
    return TaskGetInfoResponse.newBuilder()
        .setAppId(attributes.getOrDefault(EndedContainers.APP, ""))
        .setInfo(
            TaskInfo.newBuilder()
                .setId(over.id())
                .setEnqueuedAt(AppViews.listedTime(attributes.get(EndedContainers.WANTED_AT)))
                .setStartedAt(AppViews.listedTime(attributes.get(EndedContainers.STARTED_AT)))
                .setFinishedAt(Outputs.seconds(over.createdAt())))
        .build();
  }

  private static RpcFailure missing(TaskId task) {
    return RpcFailure.notFound(
        "Container '%s' is not known: there never was one, or it ended more than %d days ago."
            .formatted(task, EndedContainers.KEPT.toDays()));
  }

  // ---- stopping

  /** To stop a container that has ended is no error: who lists and then stops may come late. */
  private CompletionStage<ContainerStopResponse> stop(
      RpcContext context, ContainerStopRequest request) {
    TaskId task = new TaskId(request.getTaskId());
    return functionOf(context, task)
        .thenCompose(
            function ->
                function
                    .map(running -> stop(running, task, request.getGraceful()))
                    .orElseGet(CompletableFuture::allOf))
        .thenApply(_ -> ContainerStopResponse.getDefaultInstance());
  }

  private CompletableFuture<Void> stop(FunctionId function, TaskId task, boolean graceful) {
    return world
        .entities()
        .function(function)
        .<Containers>ask(
            replyTo -> new StopContainer(task, graceful, replyTo), world.settings().askTimeout())
        .<Void>thenCompose(_ -> CompletableFuture.allOf())
        .toCompletableFuture();
  }

  /** A container knows its own function; that of another one is looked for among all that run. */
  private CompletionStage<Optional<FunctionId>> functionOf(RpcContext context, TaskId task) {
    if (context.caller() instanceof Caller.Task caller) {
      if (!caller.task().equals(task)) {
        throw RpcFailure.denied("A container may stop itself alone.");
      }
      return CompletableFuture.completedStage(Optional.of(caller.function()));
    }
    return running(task).thenApply(found -> found.map(Found::function));
  }

  private CompletionStage<Optional<Found>> running(TaskId task) {
    return world
        .environments()
        .list()
        .thenCompose(all -> Stages.each(all.stream(), there -> ofEnvironment(there.name())))
        .thenApply(
            lists ->
                lists.stream()
                    .flatMap(List::stream)
                    .filter(found -> found.container().task().equals(task))
                    .findFirst());
  }
}
