package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.service.LogQueries.Asked;
import dev.troupe.gateway.service.LogQueries.Query;
import dev.troupe.protocol.modal.AppGetLogsRequest;
import dev.troupe.protocol.modal.TaskLogsBatch;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.stream.javadsl.Source;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The logs of apps, followed live. */
final class LogsService implements RpcService {

  /** Longest stream; clients ask again, from where they are. */
  private static final Duration LONGEST_STREAM = Duration.ofSeconds(55);

  /** How long the last lines of an app that is done are waited for: its client waits 10 s. */
  private static final Duration DRAIN_LIMIT = Duration.ofSeconds(8);

  /** News that may wait for a slow reader; more are fetched again. */
  private static final int NEWS_BUFFER = 1_000;

  /** How far back of a deployed app's lines a new reader is given. */
  private static final Duration JUST_BEFORE = Duration.ofMinutes(1);

  private static final Logger LOG = LoggerFactory.getLogger(LogsService.class);

  private final World world;
  private final Apps apps;
  private final LogQueries queries;

  LogsService(World world, Apps apps, LogQueries queries) {
    this.world = world;
    this.apps = apps;
    this.queries = queries;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table.stream("AppGetLogs", AppGetLogsRequest.parser(), this::getLogs);
  }

  private Source<TaskLogsBatch, NotUsed> getLogs(RpcContext context, AppGetLogsRequest request) {
    Asked asked =
        new Asked(
            request.getAppId(),
            request.getFunctionId(),
            request.getParametrizedFunctionId(),
            request.getFunctionCallId(),
            request.getInputId(),
            request.getTaskId(),
            request.getSandboxId(),
            request.getFileDescriptor(),
            request.getSearchText());
    LogCursor given = LogCursor.parse(request.getLastEntryId());
    Duration time = Duration.ofMillis((long) (request.getTimeout() * 1000));
    Duration limit = time.compareTo(LONGEST_STREAM) < 0 ? time : LONGEST_STREAM;
    return Source.completionStageSource(
            queries
                .understand(context, asked)
                .thenCompose(query -> queries.orMissing(query, query))
                .thenCompose(query -> follow(context, query, given)))
        .mapMaterializedValue(_ -> NotUsed.getInstance())
        .takeWithin(limit.isNegative() ? Duration.ZERO : limit);
  }

  private CompletionStage<Source<TaskLogsBatch, NotUsed>> follow(
      RpcContext context, Query query, LogCursor given) {
    LogCursor cursor =
        given.equals(LogCursor.START) ? LogCursor.beginningAt(beginning(query)) : given;
    String task = query.filter().getTaskId();
    CompletionStage<Boolean> over =
        task.isEmpty()
            ? CompletableFuture.completedStage(false)
            : queries.container(task).thenApply(found -> found.getEndedUs() != 0);
    return over.thenCombine(
        world.logs().archivedMachines(query.app().app()),
        (ended, archived) ->
            follow(
                context,
                new LogStream.Wish(query.app().app(), query.filter(), query.functions(), ended),
                cursor,
                archived));
  }

  /**
   * A run is followed from its beginning, and so is a call or a container. A deployed app may have
   * printed for weeks: who follows it sees what is new, and what came just before.
   */
  private long beginning(Query query) {
    boolean whole =
        query.app().deployedAt() == null
            || !query.filter().getTaskId().isEmpty()
            || !query.filter().getCallId().isEmpty()
            || !query.filter().getInputId().isEmpty();
    return whole ? 0 : LogBatches.micros(world.clock().instant().minus(JUST_BEFORE));
  }

  private Source<TaskLogsBatch, NotUsed> follow(
      RpcContext context, LogStream.Wish wish, LogCursor cursor, Set<MachineId> archived) {
    LogStream stream =
        new LogStream(world.logs(), wish, cursor, archived, _ -> learn(context, wish));
    Source<News, NotUsed> news = wish.over() ? Source.empty() : news(wish.app());
    return stream.batches(news, () -> limitDraining(stream));
  }

  /** A function was made meanwhile; its first line comes when its container has started. */
  private void learn(RpcContext context, LogStream.Wish wish) {
    apps.require(context, wish.app())
        .whenComplete(
            (app, failure) -> {
              if (failure == null) {
                wish.functions().takeIn(app);
              } else {
                LOG.warn("A new function of {} can't be looked up", wish.app(), failure);
              }
            });
  }

  private Source<News, NotUsed> news(AppId app) {
    return Source.<News>queue(NEWS_BUFFER)
        .mapMaterializedValue(
            queue -> {
              world
                  .system()
                  .systemActorOf(
                      AppFollower.create(
                          world.entities().app(app), queue, world.settings().renewal()),
                      "app-follower-" + UUID.randomUUID(),
                      Props.empty());
              return NotUsed.getInstance();
            });
  }

  private void limitDraining(LogStream stream) {
    Cancellable ignored =
        world
            .system()
            .scheduler()
            .scheduleOnce(DRAIN_LIMIT, stream::giveUp, world.system().executionContext());
  }
}
