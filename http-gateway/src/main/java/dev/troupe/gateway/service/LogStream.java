package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.link.LogFeed;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.modal.TaskLogsBatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Source;

/**
 * The logs of one app for one reader: its news, and the lines of each machine that the news name.
 *
 * <pre>
 *   news ──▶ open a machine's lines, or pass on ──▶ merged ──▶ batches ──▶ app_done
 * </pre>
 *
 * Any machine that is linked may hold lines, so all are asked; of those that are away, the archive
 * is read. One whose last container of the app has gone ends its lines. They are opened again when
 * the app gets another container, since that may be there. Once the app is done, or the one
 * container that is wanted, what is open is read to its end, and the reader is told. For one run.
 */
final class LogStream {

  /** Machines and news that are read from at a time; more wait. */
  private static final int BREADTH = 1_024;

  private static final Comparator<MachineId> BY_NAME = Comparator.comparing(MachineId::value);

  /** The stream of the platform's words, as lines have it. */
  private static final int PLATFORM = 3;

  /**
   * What of an app the reader wants, and how it ends.
   *
   * @param lines what the machines look at, but for functions
   * @param over nothing more will come: what is there is read, and that is the end
   */
  record Wish(AppId app, LogFilter lines, FunctionScope functions, boolean over) {

    private boolean takes(LogLine line) {
      return functions.takes(line.getFunctionId());
    }

    private boolean takes(Item item) {
      boolean everything =
          lines.getStream() == 0
              && lines.getCallId().isEmpty()
              && lines.getInputId().isEmpty()
              && lines.getSearchText().isEmpty();
      return switch (item) {
        case Item.Container(var of, var function, _) ->
            everything
                && (lines.getTaskId().isEmpty() || lines.getTaskId().equals(of.value()))
                && functions.takes(function.value());
        case Item.Notice(var function, var text) ->
            lines.getTaskId().isEmpty()
                && lines.getCallId().isEmpty()
                && lines.getInputId().isEmpty()
                && text.contains(lines.getSearchText())
                && functions.takes(function.value())
                && (lines.getStream() == 0 || lines.getStream() == PLATFORM);
        case Item.LogsOn _, Item.Done _ -> false;
      };
    }

    /** Whether an app's news are the end of what is wanted: the app's, or the one container's. */
    private boolean isEnd(Item item) {
      return switch (item) {
        case Item.Done() -> true;
        case Item.Container(var of, _, var phase) ->
            phase == ContainerPhase.COMPLETED && lines.getTaskId().equals(of.value());
        case Item.LogsOn _, Item.Notice _ -> false;
      };
    }
  }

  /** What comes in, from all sides. */
  private sealed interface Event {

    record OfApp(News news) implements Event {}

    record OfMachine(MachineId machine, List<LogLine> lines) implements Event {}
  }

  /**
   * A machine that may hold lines; {@code wanted} counts the reasons to read, {@code read} those
   * met. It {@code holds} some if it gave one, or is said to.
   */
  private static final class Feed {
    private boolean open;
    private boolean holds;
    private long wanted;
    private long read;
    private Position last;

    private Feed(Position last) {
      this.last = last;
    }
  }

  private final LogFeed logs;
  private final Wish wish;
  private final Consumer<FunctionId> unknown;
  private final SharedKillSwitch drained = KillSwitches.shared("drained");
  private final Set<MachineId> archived;
  private final Map<MachineId, Feed> feeds = new HashMap<>();
  private final long newsBefore;
  private LogCursor cursor;
  private volatile boolean done;

  /**
   * A stream that goes on behind {@code cursor}.
   *
   * @param archived the machines of which the archive has lines of the app
   * @param unknown told of functions that were made meanwhile
   */
  LogStream(
      LogFeed logs,
      Wish wish,
      LogCursor cursor,
      Set<MachineId> archived,
      Consumer<FunctionId> unknown) {
    this.logs = logs;
    this.archived = archived;
    this.wish = wish;
    this.unknown = unknown;
    this.done = wish.over();
    this.cursor = cursor;
    this.newsBefore = cursor.newsMicros();
    cursor
        .machines()
        .forEach(
            (machine, last) -> {
              Feed feed = new Feed(last);
              feed.holds = true;
              feeds.put(machine, feed);
            });
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
    if (wish.isEnd(heard.item())) {
      done = true;
      whenDone.run();
    }
    return done;
  }

  // ---- what to read

  private List<Source<Event, NotUsed>> sources(News heard) {
    if (heard.item() instanceof Item.Container(_, var function, _)
        && wish.functions().isNew(function)) {
      unknown.accept(function);
    }
    boolean fresh = LogBatches.micros(heard.at()) > newsBefore;
    List<Source<Event, NotUsed>> sources = new ArrayList<>();
    switch (heard.item()) {
      case Item.LogsOn(var machine) -> sources.addAll(openHolder(machine));
      case Item.Container(_, _, var phase) when fresh && begins(phase) ->
          sources.addAll(openHolders());
      case Item.Container _, Item.Notice _, Item.Done _ -> {}
    }
    if (fresh && wish.takes(heard.item())) {
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
    Set<MachineId> all = new TreeSet<>(BY_NAME);
    all.addAll(feeds.keySet());
    all.addAll(logs.machines());
    Set<MachineId> away = new TreeSet<>(BY_NAME);
    away.addAll(archived);
    away.removeAll(all);
    List<Source<Event, NotUsed>> opened = new ArrayList<>(open(all, logs::follow));
    opened.addAll(open(away, logs::archived));
    return opened;
  }

  /** A machine is said to hold lines. */
  private synchronized List<Source<Event, NotUsed>> openHolder(MachineId machine) {
    List<Source<Event, NotUsed>> opened = open(Set.of(machine), logs::follow);
    feed(machine).holds = true;
    return opened;
  }

  /** Those that hold lines get the next container as likely as any: of another one, news tell. */
  private synchronized List<Source<Event, NotUsed>> openHolders() {
    Set<MachineId> holders = new TreeSet<>(BY_NAME);
    feeds.forEach(
        (machine, feed) -> {
          if (feed.holds) {
            holders.add(machine);
          }
        });
    return open(holders, logs::follow);
  }

  /** Where lines of a machine come from. */
  private interface Reading {
    Source<LogFeed.Batch, NotUsed> of(
        MachineId machine, AppId app, LogFilter filter, Position after);
  }

  private synchronized List<Source<Event, NotUsed>> open(Set<MachineId> machines, Reading reading) {
    List<Source<Event, NotUsed>> opened = new ArrayList<>();
    for (MachineId machine : machines) {
      Feed feed = feeds.computeIfAbsent(machine, _ -> new Feed(cursor.beginning()));
      feed.wanted++;
      if (!feed.open) {
        feed.open = true;
        opened.add(lines(machine, reading));
      }
    }
    return opened;
  }

  private Source<Event, NotUsed> lines(MachineId machine, Reading reading) {
    return Source.lazySource(() -> reading.of(machine, wish.app(), wish.lines(), begin(machine)))
        .<Event>map(batch -> heard(machine, batch))
        .via(drained.flow())
        .mapMaterializedValue(_ -> NotUsed.getInstance())
        .concatLazy(
            Source.lazySource(
                () -> goesOn(machine) ? lines(machine, logs::follow) : Source.empty()));
  }

  private synchronized Position begin(MachineId machine) {
    Feed feed = feed(machine);
    feed.read = feed.wanted;
    return feed.last;
  }

  private synchronized Event heard(MachineId machine, LogFeed.Batch batch) {
    if (!batch.lines().isEmpty()) {
      Feed feed = feed(machine);
      feed.last = Position.of(batch.lines().getLast());
      feed.holds = true;
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
        List<LogLine> taken = lines.stream().filter(wish::takes).toList();
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
