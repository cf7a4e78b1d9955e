package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.link.LogFeed;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.modal.TaskLogsBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * The logs of one app for one reader: its news, and the lines of each machine that the news name.
 *
 * <pre>
 *   news ──▶ open a machine's lines, or pass on ──▶ merged ──▶ batches ──▶ app_done
 * </pre>
 *
 * A machine whose last container of the app has gone ends its lines. They are opened again when the
 * app gets another container, since that may be there. Once the app is done, what is open is read
 * to its end, and the reader is told. For one run.
 */
final class LogStream {

  /** Machines and news that are read from at a time; more wait. */
  private static final int BREADTH = 1_024;

  /**
   * What of an app the reader wants.
   *
   * @param task one container's; null for all
   * @param functionId one function's; empty for all
   * @param descriptor the wire's number of what was written to; 0 for all
   */
  record Filter(AppId app, @Nullable TaskId task, String functionId, int descriptor) {

    private boolean takes(LogLine line) {
      return (functionId.isEmpty() || functionId.equals(line.getFunctionId()))
          && (descriptor == 0
              || descriptor == ImageDefinitions.descriptor(line.getStream()).getNumber());
    }

    private boolean takes(Item item) {
      return switch (item) {
        case Item.Container(var of, var function, _) ->
            (task == null || task.equals(of))
                && (functionId.isEmpty() || functionId.equals(function.value()))
                && descriptor == 0;
        case Item.Notice(var function, _) ->
            task == null
                && (functionId.isEmpty() || functionId.equals(function.value()))
                && (descriptor == 0 || descriptor == ImageDefinitions.descriptor(0).getNumber());
        case Item.LogsOn _, Item.Done _ -> false;
      };
    }
  }

  /** What comes in, from all sides. */
  private sealed interface Event {

    record OfApp(News news) implements Event {}

    record OfMachine(MachineId machine, List<LogLine> lines) implements Event {}
  }

  /**
   * A machine that holds lines; {@code wanted} counts the reasons to read, {@code read} those met.
   */
  private static final class Feed {
    private boolean open;
    private long wanted;
    private long read;
    private Position last;

    private Feed(Position last) {
      this.last = last;
    }
  }

  private final LogFeed logs;
  private final Filter filter;
  private final SharedKillSwitch drained = KillSwitches.shared("drained");
  private final Map<MachineId, Feed> feeds = new HashMap<>();
  private final long newsBefore;
  private LogCursor cursor;
  private volatile boolean done;

  /** A stream that goes on behind {@code cursor}. */
  LogStream(LogFeed logs, Filter filter, LogCursor cursor) {
    this.logs = logs;
    this.filter = filter;
    this.cursor = cursor;
    this.newsBefore = cursor.newsMicros();
    cursor.machines().forEach((machine, last) -> feeds.put(machine, new Feed(last)));
  }

  /** Ends what is still read of an app that is done. */
  void giveUp() {
    drained.shutdown();
  }

  /**
   * The batches, made from an app's news.
   *
   * @param whenDone run once the app is done, when only lines remain to be read
   */
  Source<TaskLogsBatch, NotUsed> batches(Source<News, NotUsed> news, Runnable whenDone) {
    Source<Source<Event, NotUsed>, NotUsed> begun = Source.from(openAll());
    return begun
        .concat(
            news.takeWhile(heard -> !isDone(heard, whenDone), true)
                .mapConcat(heard -> sources(heard)))
        .flatMapMerge(BREADTH, source -> source)
        .mapConcat(this::batches)
        .concatLazy(
            Source.lazySource(
                () -> done ? Source.single(LogBatches.done()) : Source.<TaskLogsBatch>empty()));
  }

  private boolean isDone(News heard, Runnable whenDone) {
    if (heard.item() instanceof Item.Done) {
      done = true;
      whenDone.run();
    }
    return done;
  }

  // ---- what to read

  private List<Source<Event, NotUsed>> sources(News heard) {
    boolean fresh = LogBatches.micros(heard.at()) > newsBefore;
    List<Source<Event, NotUsed>> sources = new ArrayList<>();
    switch (heard.item()) {
      case Item.LogsOn(var machine) -> sources.addAll(open(Set.of(machine)));
      case Item.Container(_, _, var phase) when fresh && begins(phase) -> sources.addAll(openAll());
      case Item.Container _, Item.Notice _, Item.Done _ -> {}
    }
    if (fresh && filter.takes(heard.item())) {
      sources.add(Source.single(new Event.OfApp(heard)));
    }
    return sources;
  }

  /** Whether a container in this phase may write soon. */
  private static boolean begins(ContainerPhase phase) {
    return switch (phase) {
      case ASSIGNED, CREATING, ACTIVE -> true;
      case QUEUED, IDLE, COMPLETED -> false;
    };
  }

  private synchronized List<Source<Event, NotUsed>> openAll() {
    Set<MachineId> all = new TreeSet<>(java.util.Comparator.comparing(MachineId::value));
    all.addAll(feeds.keySet());
    return open(all);
  }

  private synchronized List<Source<Event, NotUsed>> open(Set<MachineId> machines) {
    List<Source<Event, NotUsed>> opened = new ArrayList<>();
    for (MachineId machine : machines) {
      Feed feed = feeds.computeIfAbsent(machine, _ -> new Feed(Position.START));
      feed.wanted++;
      if (!feed.open) {
        feed.open = true;
        opened.add(lines(machine));
      }
    }
    return opened;
  }

  private Source<Event, NotUsed> lines(MachineId machine) {
    return Source.lazySource(
            () -> logs.follow(machine, filter.app(), filter.task(), begin(machine)))
        .<Event>map(batch -> heard(machine, batch))
        .via(drained.flow())
        .mapMaterializedValue(_ -> NotUsed.getInstance())
        .concatLazy(Source.lazySource(() -> goesOn(machine) ? lines(machine) : Source.empty()));
  }

  private synchronized Position begin(MachineId machine) {
    Feed feed = feed(machine);
    feed.read = feed.wanted;
    return feed.last;
  }

  private synchronized Event heard(MachineId machine, LogFeed.Batch batch) {
    if (!batch.lines().isEmpty()) {
      feed(machine).last = Position.of(batch.lines().getLast());
    }
    return new Event.OfMachine(machine, batch.lines());
  }

  /** A machine's lines have ended: whether there was reason to read on since they were opened. */
  private synchronized boolean goesOn(MachineId machine) {
    Feed feed = feed(machine);
    feed.open = feed.wanted > feed.read && !done;
    return feed.open;
  }

  private Feed feed(MachineId machine) {
    Feed feed = feeds.get(machine);
    if (feed == null) {
      throw new IllegalStateException("Lines of %s were never opened".formatted(machine));
    }
    return feed;
  }

  // ---- what to give out

  private List<TaskLogsBatch> batches(Event event) {
    return switch (event) {
      case Event.OfApp(var news) -> {
        cursor = cursor.afterNews(LogBatches.micros(news.at()));
        yield LogBatches.batch(news, cursor.text()).stream().toList();
      }
      case Event.OfMachine(var machine, var lines) -> {
        List<LogLine> taken = lines.stream().filter(filter::takes).toList();
        List<TaskLogsBatch> batches = new ArrayList<>();
        for (List<LogLine> run : LogBatches.runs(taken)) {
          cursor = cursor.after(machine, Position.of(run.getLast()));
          batches.add(LogBatches.batch(run, cursor.text()));
        }
        yield batches;
      }
    };
  }
}
