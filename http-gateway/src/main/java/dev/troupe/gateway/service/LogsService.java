package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.AppGetLogsRequest;
import dev.troupe.protocol.modal.TaskLogsBatch;
import java.time.Duration;
import java.util.UUID;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.stream.javadsl.Source;

/** The logs of apps, followed live. */
final class LogsService implements RpcService {

  /** Longest stream; clients ask again, from where they are. */
  private static final Duration LONGEST_STREAM = Duration.ofSeconds(55);

  /** How long the last lines of an app that is done are waited for: its client waits 10 s. */
  private static final Duration DRAIN_LIMIT = Duration.ofSeconds(8);

  /** News that may wait for a slow reader; more are fetched again. */
  private static final int NEWS_BUFFER = 1_000;

  private final World world;
  private final Apps apps;

  LogsService(World world, Apps apps) {
    this.world = world;
    this.apps = apps;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table.stream("AppGetLogs", AppGetLogsRequest.parser(), this::getLogs);
  }

  private Source<TaskLogsBatch, NotUsed> getLogs(RpcContext context, AppGetLogsRequest request) {
    LogStream.Filter filter =
        new LogStream.Filter(
            new AppId(request.getAppId()),
            request.getTaskId().isEmpty() ? null : new TaskId(request.getTaskId()),
            request.getFunctionId(),
            request.getFileDescriptorValue());
    LogCursor cursor = LogCursor.parse(request.getLastEntryId());
    Duration asked = Duration.ofMillis((long) (request.getTimeout() * 1000));
    Duration limit = asked.compareTo(LONGEST_STREAM) < 0 ? asked : LONGEST_STREAM;
    return Source.completionStageSource(
            apps.require(context, filter.app()).thenApply(app -> follow(app, filter, cursor)))
        .mapMaterializedValue(_ -> NotUsed.getInstance())
        .takeWithin(limit.isNegative() ? Duration.ZERO : limit);
  }

  private Source<TaskLogsBatch, NotUsed> follow(
      AppView app, LogStream.Filter filter, LogCursor cursor) {
    LogStream stream = new LogStream(world.logs(), filter, cursor);
    return stream.batches(news(app.app()), () -> limitDraining(stream));
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
