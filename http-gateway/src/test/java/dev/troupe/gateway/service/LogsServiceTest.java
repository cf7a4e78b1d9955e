package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Describe;
import dev.troupe.actors.app.AppProtocol.Follow;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.link.LogFeed.Batch;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.modal.AppGetLogsRequest;
import dev.troupe.protocol.modal.FileDescriptor;
import dev.troupe.protocol.modal.TaskLogs;
import dev.troupe.protocol.modal.TaskLogsBatch;
import dev.troupe.protocol.modal.TaskState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogsServiceTest {

  private static final Instant START = Instant.parse("2026-11-01T12:00:00Z");
  private static final MachineId ONE = new MachineId("one");
  private static final MachineId TWO = new MachineId("two");
  private static final String TASK = Harness.TASK.task().value();

  private final Harness harness = new Harness();
  private volatile @Nullable Instant deployedAt;
  private final List<News> kept = new ArrayList<>();
  private final Set<ActorRef<News>> followers = new HashSet<>();
  private final List<Position> followed = new CopyOnWriteArrayList<>();

  @BeforeEach
  void app() {
    harness.entity(
        AppProtocol.KEY,
        (_, command) -> {
          if (command instanceof Describe(var replyTo)) {
            replyTo.tell(new AppReply.Ok(view()));
          } else if (command instanceof Follow(var follower, var after)) {
            tell(follower, after);
          }
        });
  }

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void givesLinesStatesAndNoticesAndTheEnd() throws Exception {
    news(new Item.Notice(Harness.FUNCTION, "f is waiting for 1×H100"));
    news(container(ContainerPhase.CREATING));
    news(new Item.LogsOn(ONE));
    news(new Item.Done());
    harness.logs(lines(batch(line(1, "hello\n"), line(2, "world\n"))));

    List<TaskLogsBatch> batches = follow("");

    assertThat(items(batches))
        .filteredOn(item -> item.getFileDescriptor() == FileDescriptor.FILE_DESCRIPTOR_STDOUT)
        .extracting(TaskLogs::getData)
        .containsExactly("hello\n", "world\n");
    assertThat(items(batches))
        .filteredOn(item -> item.getFileDescriptor() == FileDescriptor.FILE_DESCRIPTOR_INFO)
        .extracting(TaskLogs::getData)
        .containsExactly("f is waiting for 1×H100\n");
    assertThat(items(batches))
        .extracting(TaskLogs::getTaskState)
        .contains(TaskState.TASK_STATE_CREATING_CONTAINER);
    assertThat(batches.getLast().getAppDone()).isTrue();
    assertThat(batches).filteredOn(TaskLogsBatch::getAppDone).hasSize(1);
  }

  @Test
  void goesOnWhereTheReaderIs() throws Exception {
    news(new Item.Notice(Harness.FUNCTION, "once"));
    news(new Item.LogsOn(ONE));
    news(new Item.LogsOn(TWO));
    news(new Item.Done());
    harness.logs(lines(batch(line(7, "x\n"))));
    List<TaskLogsBatch> first = follow("");
    followed.clear();

    List<TaskLogsBatch> second = follow(first.get(first.size() - 2).getEntryId());

    assertThat(followed).isNotEmpty().containsOnly(new Position(7, 0));
    assertThat(items(second)).isEmpty();
    assertThat(second.getLast().getAppDone()).isTrue();
  }

  @Test
  void opensAMachineAgainOnceTheAppHasAnotherContainer() throws Exception {
    news(new Item.LogsOn(ONE));
    news(container(ContainerPhase.COMPLETED));
    harness.logs(lines(batch(line(1, "x\n"))));
    var reading = followLater(20);
    awaitFollowed(1);

    news(container(ContainerPhase.CREATING));
    awaitFollowed(2);
    news(new Item.Done());

    assertThat(reading.get(20, TimeUnit.SECONDS).getLast().getAppDone()).isTrue();
    assertThat(followed).containsExactly(Position.START, new Position(1, 0));
  }

  @Test
  void asksTheMachinesForWhatIsWantedOnly() throws Exception {
    news(new Item.LogsOn(ONE));
    news(new Item.Notice(Harness.FUNCTION, "notice"));
    news(new Item.Done());
    List<LogFilter> filters = new CopyOnWriteArrayList<>();
    harness.logs(
        (_, _, filter, _) -> {
          filters.add(filter);
          return Source.single(new Batch(List.of(line(2, "err\n")), true));
        });

    List<TaskLogsBatch> batches =
        harness.stream(
                TaskLogsBatch.class,
                Harness.TOKEN,
                "AppGetLogs",
                request("", 20)
                    .setFileDescriptor(FileDescriptor.FILE_DESCRIPTOR_STDERR)
                    .setSearchText("rr")
                    .build())
            .runWith(Sink.seq(), harness.testKit.system())
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);

    assertThat(filters)
        .containsOnly(LogFilter.newBuilder().setStream(2).setSearchText("rr").build());
    assertThat(items(batches)).extracting(TaskLogs::getData).containsExactly("err\n");
  }

  @Test
  void beginsADeployedAppAMinuteBackAndGoesOnWhereItBegan() throws Exception {
    deployedAt = START;
    news(new Item.LogsOn(ONE));
    news(new Item.LogsOn(TWO));
    news(new Item.Done());
    long minuteBack = LogBatches.micros(harness.clock.instant().minusSeconds(60));
    harness.logs(
        (machine, _, _, after) -> {
          followed.add(after);
          List<LogLine> first =
              machine.equals(ONE) && after.number() == 0
                  ? List.of(line(minuteBack + 5, "x\n").toBuilder().setNumber(1).build())
                  : List.of();
          return Source.single(new Batch(first, true));
        });
    List<TaskLogsBatch> first = follow("");
    assertThat(followed).hasSize(2).containsOnly(new Position(minuteBack, 0));
    followed.clear();
    harness.clock.advance(Duration.ofMinutes(10));

    List<TaskLogsBatch> second = follow(first.get(first.size() - 2).getEntryId());

    assertThat(followed).containsOnly(new Position(minuteBack, 0), new Position(minuteBack + 5, 1));
    assertThat(items(second)).isEmpty();
  }

  @Test
  void endsWithTheContainerThatIsWanted() throws Exception {
    harness.history.containers.put(
        Harness.TASK.task(), ContainerRecord.newBuilder().setAppId(Harness.APP.value()).build());
    news(new Item.LogsOn(ONE));
    harness.logs(lines(batch(line(1, "x\n"))));
    news(container(ContainerPhase.COMPLETED));

    List<TaskLogsBatch> batches =
        harness.stream(
                TaskLogsBatch.class,
                Harness.TOKEN,
                "AppGetLogs",
                AppGetLogsRequest.newBuilder().setTaskId(TASK).setTimeout(20).build())
            .runWith(Sink.seq(), harness.testKit.system())
            .toCompletableFuture()
            .get(15, TimeUnit.SECONDS);

    assertThat(items(batches)).extracting(TaskLogs::getData).contains("x\n");
    assertThat(batches.getLast().getAppDone()).isTrue();
  }

  @Test
  void endsCleanlyWhenTheTimeIsUp() throws Exception {
    harness.logs(
        (_, _, _, _) ->
            Source.maybe().map(_ -> batch()).mapMaterializedValue(_ -> NotUsed.getInstance()));
    news(new Item.LogsOn(ONE));

    assertThat(followLater(0.5f).get(20, TimeUnit.SECONDS)).isEmpty();
  }

  // ---- the app and its machines

  private synchronized void news(Item item) {
    long number = kept.size() + 1L;
    News news = new News(number, START.plusMillis(number), item);
    kept.add(news);
    followers.forEach(follower -> follower.tell(news));
  }

  private synchronized void tell(ActorRef<News> follower, long after) {
    followers.add(follower);
    kept.stream().filter(news -> news.number() > after).forEach(follower::tell);
  }

  /** Each machine has these lines, and has sent them all. */
  private Harness.Lines lines(Batch batch) {
    return (_, _, _, after) -> {
      followed.add(after);
      List<LogLine> behind =
          batch.lines().stream().filter(line -> line.getTimeUs() > after.timeMicros()).toList();
      return Source.from(List.of(new Batch(behind, false), new Batch(List.of(), true)));
    };
  }

  private void awaitFollowed(int times) {
    harness
        .testKit
        .createTestProbe()
        .awaitAssert(
            Duration.ofSeconds(15),
            () -> {
              assertThat(followed).hasSize(times);
              return null;
            });
  }

  private static Batch batch(LogLine... lines) {
    return new Batch(List.of(lines), false);
  }

  private static LogLine line(long time, String text) {
    return LogLine.newBuilder()
        .setTimeUs(time)
        .setStream(1)
        .setText(text)
        .setTaskId(TASK)
        .setFunctionId(Harness.FUNCTION.value())
        .build();
  }

  private static Item container(ContainerPhase phase) {
    return new Item.Container(Harness.TASK.task(), Harness.FUNCTION, phase);
  }

  private List<TaskLogsBatch> follow(String lastEntryId) throws Exception {
    return harness.stream(
            TaskLogsBatch.class, Harness.TOKEN, "AppGetLogs", request(lastEntryId, 20).build())
        .runWith(Sink.seq(), harness.testKit.system())
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS);
  }

  private java.util.concurrent.CompletableFuture<List<TaskLogsBatch>> followLater(float timeout) {
    return harness.stream(
            TaskLogsBatch.class, Harness.TOKEN, "AppGetLogs", request("", timeout).build())
        .runWith(Sink.seq(), harness.testKit.system())
        .toCompletableFuture();
  }

  private static AppGetLogsRequest.Builder request(String lastEntryId, float timeout) {
    return AppGetLogsRequest.newBuilder()
        .setAppId(Harness.APP.value())
        .setTimeout(timeout)
        .setLastEntryId(lastEntryId);
  }

  private static List<TaskLogs> items(List<TaskLogsBatch> batches) {
    return batches.stream().flatMap(batch -> batch.getItemsList().stream()).toList();
  }

  private AppView view() {
    return new AppView(
        Harness.APP,
        "main",
        "",
        "shop",
        Phase.EPHEMERAL,
        1,
        START,
        deployedAt,
        null,
        Map.of(),
        Map.of(),
        List.of(),
        Map.of(),
        0,
        AppProtocol.Credits.NONE);
  }
}
