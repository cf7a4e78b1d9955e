package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.function.EndedContainers;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.link.LogHistory.Range;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.modal.FileDescriptor;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Understands what readers of logs ask for, and says what of it is not there. */
final class LogQueries {

  private static final Range EVER = new Range(0, Long.MAX_VALUE);

  private final World world;
  private final Apps apps;
  private final KnownContainers containers;

  LogQueries(World world, Apps apps, KnownContainers containers) {
    this.world = world;
    this.apps = apps;
    this.containers = containers;
  }

  /** What a request names; what is empty is not asked for. */
  record Asked(
      String app,
      String function,
      String variant,
      String call,
      String input,
      String task,
      String sandbox,
      FileDescriptor source,
      String search) {}

  /**
   * The lines that a reader wants.
   *
   * @param filter what the machines look at; functions are in {@code functions}
   */
  record Query(AppView app, LogFilter filter, FunctionScope functions) {

    /** The filter with the functions that are known now. */
    LogFilter whole() {
      return filter.toBuilder().addAllFunctionIds(functions.ids()).build();
    }
  }

  /** Finds the app, and the function where one is named. A container alone names its app. */
  CompletionStage<Query> understand(RpcContext context, Asked asked) {
    if (!asked.sandbox().isEmpty()) {
      throw RpcFailure.unimplemented("Troupe does not serve sandboxes yet.");
    }
    CompletionStage<AppId> app =
        asked.app().isEmpty() && !asked.task().isEmpty()
            ? container(asked.task()).thenApply(found -> new AppId(found.getAppId()))
            : CompletableFuture.completedStage(new AppId(asked.app()));
    LogFilter filter = filter(asked);
    return app.thenCompose(id -> apps.require(context, id))
        .thenApply(view -> query(view, asked, filter));
  }

  static LogFilter filter(Asked asked) {
    LogFilter.Builder filter =
        LogFilter.newBuilder()
            .setStream(stream(asked.source()))
            .setInputId(asked.input())
            .setSearchText(asked.search());
    if (!asked.task().isEmpty()) {
      filter.setTaskId(new TaskId(asked.task()).value());
    }
    if (!asked.call().isEmpty()) {
      filter.setCallId(new CallId(asked.call()).value());
    }
    return filter.build();
  }

  private static int stream(FileDescriptor source) {
    return switch (source) {
      case FILE_DESCRIPTOR_UNSPECIFIED -> 0;
      case FILE_DESCRIPTOR_STDOUT -> 1;
      case FILE_DESCRIPTOR_STDERR -> 2;
      case FILE_DESCRIPTOR_INFO -> 3;
      case UNRECOGNIZED ->
          throw RpcFailure.invalid("A source of logs is stdout, stderr or system.");
    };
  }

  private static Query query(AppView app, Asked asked, LogFilter filter) {
    FunctionScope functions = FunctionScope.of(app, asked.function(), asked.variant());
    if (!filter.getCallId().isEmpty()
        && !functions.knows(new CallId(filter.getCallId()).function())) {
      throw RpcFailure.notFound(
          "App '%s' has no function call '%s'.".formatted(app.app(), filter.getCallId()));
    }
    return new Query(app, filter, functions);
  }

  /**
   * A container that runs, or ran not too long ago; NOT_FOUND where there is none. Its machine
   * knows it for as long as it has lines of it; of a machine that is away, who ran it does.
   */
  CompletionStage<ContainerRecord> container(String name) {
    TaskId task = new TaskId(name);
    return world
        .history()
        .find(task)
        .thenCompose(
            found ->
                found.isPresent()
                    ? CompletableFuture.completedStage(found)
                    : containers.find(task, LogQueries::record, LogQueries::record))
        .thenApply(
            found ->
                found.orElseThrow(
                    () ->
                        RpcFailure.notFound(
                            "Container '%s' does not exist, or was forgotten.".formatted(task))));
  }

  private static ContainerRecord record(KnownContainers.Found running) {
    return ContainerRecord.newBuilder()
        .setTaskId(running.container().task().value())
        .setAppId(running.app().app().value())
        .setFunctionId(running.function().value())
        .build();
  }

  private static ContainerRecord record(Entry ended) {
    Map<String, String> attributes = ended.attributes();
    return ContainerRecord.newBuilder()
        .setTaskId(ended.id())
        .setAppId(attributes.getOrDefault(EndedContainers.APP, ""))
        .setFunctionId(attributes.getOrDefault(EndedContainers.FUNCTION, ""))
        .setEndedUs(LogBatches.micros(ended.createdAt()))
        .build();
  }

  /** Nothing was found: says why, where what was asked for is not there at all. */
  <T> CompletionStage<T> orMissing(Query query, T nothing) {
    return requireContainer(query).thenCompose(_ -> requireCall(query)).thenApply(_ -> nothing);
  }

  /** A container that is named must be the app's. */
  private CompletionStage<Void> requireContainer(Query query) {
    String task = query.filter().getTaskId();
    if (task.isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
    return container(task)
        .thenAccept(
            found -> {
              if (!found.getAppId().equals(query.app().app().value())) {
                throw RpcFailure.notFound(
                    "App '%s' has no container '%s'.".formatted(query.app().app(), task));
              }
            });
  }

  /** Lines outlive results: a call that is forgotten is known by them. */
  private CompletionStage<Void> requireCall(Query query) {
    if (query.filter().getCallId().isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
    CallId call = new CallId(query.filter().getCallId());
    return world
        .entities()
        .function(call.function())
        .<CallReply>ask(replyTo -> new Inspect(call, replyTo), world.settings().askTimeout())
        .thenCompose(
            reply ->
                switch (reply) {
                  case CallReply.Found _ -> CompletableFuture.completedStage(null);
                  case CallReply.Missing _ -> requireLines(query, call);
                });
  }

  private CompletionStage<Void> requireLines(Query query, CallId call) {
    LogFilter ofCall = LogFilter.newBuilder().setCallId(call.value()).build();
    return world
        .history()
        .newest(query.app().app().value(), ofCall, EVER, 1)
        .thenAccept(
            lines -> {
              if (lines.isEmpty()) {
                throw CallsService.missing(call);
              }
            });
  }
}
