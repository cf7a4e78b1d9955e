package dev.troupe.gateway.service;

import com.google.protobuf.Timestamp;
import dev.troupe.actors.id.ImageId;
import dev.troupe.gateway.link.LogHistory.Range;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.service.LogQueries.Asked;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.modal.AppCountLogsRequest;
import dev.troupe.protocol.modal.AppCountLogsResponse;
import dev.troupe.protocol.modal.AppCountLogsResponse.LogBucket;
import dev.troupe.protocol.modal.AppFetchLogsRequest;
import dev.troupe.protocol.modal.AppFetchLogsResponse;
import dev.troupe.protocol.modal.TaskLogsBatch;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The logs of apps, and of builds of images, as they were: the newest lines of a stretch of time,
 * and how many there are. A client that wants a long stretch counts first, and fetches it in
 * pieces.
 */
final class LogHistoryService implements RpcService {

  /** Lines in one answer; the client's own limit, too. */
  static final int MOST_LINES = 20_000;

  /** The longest stretch; the client's own limit, too. */
  static final Duration LONGEST = Duration.ofDays(35);

  /** Buckets in one answer; a client asks for about a hundred. */
  static final int MOST_BUCKETS = 10_000;

  private static final long MICROS = 1_000_000;
  private static final int NANOS_PER_MICRO = 1_000;

  private final World world;
  private final LogQueries queries;

  LogHistoryService(World world, LogQueries queries) {
    this.world = world;
    this.queries = queries;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("AppFetchLogs", AppFetchLogsRequest.parser(), this::fetch)
        .unary("AppCountLogs", AppCountLogsRequest.parser(), this::count);
  }

  private CompletionStage<AppFetchLogsResponse> fetch(
      RpcContext context, AppFetchLogsRequest request) {
    Asked asked =
        new Asked(
            request.getAppId(),
            request.getFunctionId(),
            request.getParametrizedFunctionId(),
            request.getFunctionCallId(),
            "",
            request.getTaskId(),
            request.getSandboxId(),
            request.getSource(),
            request.getSearchText());
    Range range =
        range(request.hasSince(), request.getSince(), request.hasUntil(), request.getUntil());
    int limit = request.getLimit();
    if (limit < 0 || limit > MOST_LINES) {
      throw RpcFailure.invalid("At most %,d lines can be had at a time.".formatted(MOST_LINES));
    }
    return source(context, asked)
        .thenCompose(source -> newest(source, range, limit))
        .thenApply(
            lines -> AppFetchLogsResponse.newBuilder().addAllBatches(batches(lines)).build());
  }

  private CompletionStage<List<LogLine>> newest(Kept source, Range range, int limit) {
    CompletionStage<List<LogLine>> lines =
        limit == 0
            ? CompletableFuture.completedStage(List.of())
            : world.history().newest(source.log(), source.filter(), range, limit);
    return lines.thenCompose(found -> orMissing(source, found));
  }

  // ---- what is asked for

  /**
   * A log, and what of it is wanted.
   *
   * @param missing what to look up where nothing is found: it fails if there is no such thing
   */
  private record Kept(String log, LogFilter filter, Supplier<CompletionStage<?>> missing) {}

  private CompletionStage<Kept> source(RpcContext context, Asked asked) {
    if (asked.app().startsWith(ImageId.PREFIX)) {
      return CompletableFuture.completedStage(ofBuild(new ImageId(asked.app()), asked));
    }
    return queries
        .understand(context, asked)
        .thenApply(
            query ->
                new Kept(
                    query.app().app().value(),
                    query.whole(),
                    () -> queries.orMissing(query, query)));
  }

  /** Builds of an image: the client takes the app and the task that it has of the image's chain. */
  private Kept ofBuild(ImageId image, Asked asked) {
    String others = asked.function() + asked.variant() + asked.call() + asked.sandbox();
    if (!others.isEmpty()) {
      throw RpcFailure.invalid("The build of image '%s' has no '%.80s'.".formatted(image, others));
    }
    return new Kept(
        image.value(),
        LogQueries.filter(asked),
        () -> ImagesService.chain(world, image).thenApply(_ -> image));
  }

  private static <T> CompletionStage<List<T>> orMissing(Kept source, List<T> found) {
    return found.isEmpty()
        ? source.missing().get().thenApply(_ -> found)
        : CompletableFuture.completedStage(found);
  }

  // ---- answers

  private static List<TaskLogsBatch> batches(List<LogLine> lines) {
    return LogBatches.runs(lines).stream().map(run -> LogBatches.batch(run, "")).toList();
  }

  private CompletionStage<AppCountLogsResponse> count(
      RpcContext context, AppCountLogsRequest request) {
    Asked asked =
        new Asked(
            request.getAppId(),
            request.getFunctionId(),
            request.getParametrizedFunctionId(),
            request.getFunctionCallId(),
            "",
            request.getTaskId(),
            request.getSandboxId(),
            request.getSource(),
            request.getSearchText());
    Range range =
        range(request.hasSince(), request.getSince(), request.hasUntil(), request.getUntil());
    long width = Integer.toUnsignedLong(request.getBucketSecs()) * MICROS;
    if (width == 0 || (range.untilMicros() - range.sinceMicros()) / width >= MOST_BUCKETS) {
      throw RpcFailure.invalid(
          "Buckets of %d s are too narrow for this time: there may be %,d of them."
              .formatted(width / MICROS, MOST_BUCKETS));
    }
    return source(context, asked)
        .thenCompose(
            source ->
                world
                    .history()
                    .count(source.log(), source.filter(), range, width)
                    .thenCompose(counts -> orMissing(source, counts)))
        .thenApply(counts -> answer(request.getAppId(), buckets(counts, range, width)));
  }

  private static AppCountLogsResponse answer(String app, List<LogBucket> buckets) {
    return AppCountLogsResponse.newBuilder().setAppId(app).addAllBuckets(buckets).build();
  }

  /** All of the time asked for, those without a line too: a client joins those side by side. */
  private static List<LogBucket> buckets(List<LogCount> counts, Range range, long width) {
    Map<Long, LogCount> byStart = new HashMap<>();
    counts.forEach(count -> byStart.put(count.getStartUs(), count));
    List<LogBucket> buckets = new java.util.ArrayList<>();
    long first = range.sinceMicros() - range.sinceMicros() % width;
    for (long start = first; start < range.untilMicros(); start += width) {
      LogCount count = byStart.getOrDefault(start, LogCount.getDefaultInstance());
      buckets.add(
          LogBucket.newBuilder()
              .setBucketStartAt(Timestamp.newBuilder().setSeconds(start / MICROS))
              .setStdoutLogs(count.getStdout())
              .setStderrLogs(count.getStderr())
              .setSystemLogs(count.getSystem())
              .build());
    }
    return buckets;
  }

  /** From its first moment on and before its last. */
  private static Range range(boolean hasSince, Timestamp since, boolean hasUntil, Timestamp until) {
    if (!hasSince || !hasUntil) {
      throw RpcFailure.invalid("Logs of a stretch of time are asked for with since and until.");
    }
    Range range = new Range(micros(since), micros(until));
    if (range.sinceMicros() > range.untilMicros()) {
      throw RpcFailure.invalid("since must be before until.");
    }
    if (range.untilMicros() - range.sinceMicros() > LONGEST.toSeconds() * MICROS) {
      throw RpcFailure.invalid(
          "Logs of at most %d days can be had at a time.".formatted(LONGEST.toDays()));
    }
    return range;
  }

  /** Within what a machine's clock can show. */
  private static long micros(Timestamp time) {
    long seconds = Math.clamp(time.getSeconds(), 0, Integer.MAX_VALUE * 4L);
    return seconds * MICROS + Math.clamp(time.getNanos(), 0, 999_999_999) / NANOS_PER_MICRO;
  }
}
