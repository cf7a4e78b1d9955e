package dev.troupe.gateway.service;

import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.function.EndedContainers;
import dev.troupe.actors.function.FunctionProtocol.Containers;
import dev.troupe.actors.function.FunctionProtocol.StopContainer;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.service.KnownContainers.Found;
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

  private final World world;
  private final Apps apps;
  private final KnownContainers containers;

  TasksService(World world, Apps apps, KnownContainers containers) {
    this.world = world;
    this.apps = apps;
    this.containers = containers;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("TaskList", TaskListRequest.parser(), this::list)
        .unary("TaskGetInfo", TaskGetInfoRequest.parser(), this::info)
        .unary("ContainerStop", ContainerStopRequest.parser(), this::stop);
  }

  private CompletionStage<TaskListResponse> list(RpcContext context, TaskListRequest request) {
    CompletionStage<List<Found>> found =
        request.getAppId().isEmpty()
            ? world
                .environments()
                .meant(context, request.getEnvironmentName())
                .thenCompose(containers::of)
            : apps.require(context, new AppId(request.getAppId())).thenCompose(containers::of);
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
            .setAppDescription(AppViews.title(found.app()))
            .setEnqueuedAt(Outputs.seconds(found.container().wantedAt()));
    if (found.container().startedAt() != null) {
      stats.setStartedAt(Outputs.seconds(found.container().startedAt()));
    }
    return stats.build();
  }

  // ---- one of them

  private CompletionStage<TaskGetInfoResponse> info(
      RpcContext context, TaskGetInfoRequest request) {
    TaskId task = new TaskId(request.getTaskId());
    return containers
        .find(task, TasksService::info, TasksService::info)
        .thenApply(found -> found.orElseThrow(() -> missing(task)));
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
    return containers.running(task).thenApply(found -> found.map(Found::function));
  }
}
