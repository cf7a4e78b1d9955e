package dev.troupe.gateway.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.link.LogHistory.Range;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.gateway.testing.InMemoryLogArchive;
import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.ToMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LogReadsTest {

  private static final String APP = "ap-0000000000000000000001";
  private static final TaskId TASK = new TaskId("ta-00000000000000000000000001");
  private static final LogFilter ALL = LogFilter.getDefaultInstance();
  private static final Range EVER = new Range(0, Long.MAX_VALUE);

  private final InMemoryLogArchive archive = new InMemoryLogArchive();
  private final LogReads reads = new LogReads(archive, Runnable::run);
  private final Machine one = new Machine("one");
  private final Machine two = new Machine("two");

  /** A machine that notes what it is asked, and answers when the test says so. */
  private final class Machine implements Consumer<ToMachine> {
    private final MachineId id;
    private final List<ToMachine> asked = new ArrayList<>();

    private Machine(String name) {
      id = new MachineId(name);
      reads.linked(id, this);
    }

    @Override
    public void accept(ToMachine message) {
      asked.add(message);
    }

    private void answer(LogsRead.Builder answer) {
      ToMachine last = asked.getLast();
      String readId =
          last.hasReadLogs() ? last.getReadLogs().getReadId() : last.getFindContainer().getReadId();
      reads.received(id, answer.setReadId(readId).build());
    }
  }

  private static LogsRead.Builder lines(long... times) {
    LogsRead.Builder answer = LogsRead.newBuilder();
    for (long time : times) {
      answer.addLines(LogLine.newBuilder().setTimeUs(time));
    }
    return answer;
  }

  private static <T> T now(CompletionStage<T> answer) {
    List<T> values = new ArrayList<>();
    var unused = answer.toCompletableFuture().thenAccept(values::add);
    assertThat(values).hasSize(1);
    return values.getFirst();
  }

  private static RpcFailure failure(CompletionStage<?> answer) {
    try {
      answer.toCompletableFuture().join();
    } catch (CompletionException failed) {
      return (RpcFailure) Objects.requireNonNull(failed.getCause());
    }
    throw new AssertionError("it did not fail");
  }

  @Test
  void linesOfAllMachinesAreMergedByTime() {
    var answer = reads.newest(APP, ALL, EVER, 3);
    one.answer(lines(1, 4));
    one.answer(lines(6).setEnd(true));
    assertThat(answer).isNotCompleted();
    two.answer(lines(2, 5).setEnd(true));

    assertThat(now(answer)).extracting(LogLine::getTimeUs).containsExactly(4L, 5L, 6L);
  }

  @Test
  void countsOfAllMachinesAreAdded() {
    var answer = reads.count(APP, ALL, EVER, 10);
    one.answer(
        LogsRead.newBuilder()
            .addCounts(LogCount.newBuilder().setStartUs(10).setStdout(1).setStderr(2))
            .setEnd(true));
    two.answer(
        LogsRead.newBuilder()
            .addCounts(LogCount.newBuilder().setStartUs(0).setSystem(1))
            .addCounts(LogCount.newBuilder().setStartUs(10).setStdout(5))
            .setEnd(true));

    assertThat(now(answer)).extracting(LogCount::getStartUs).containsExactly(0L, 10L);
    assertThat(now(answer)).extracting(LogCount::getStdout).containsExactly(0L, 6L);
    assertThat(now(answer)).extracting(LogCount::getStderr).containsExactly(0L, 2L);
  }

  @Test
  void aContainerIsFoundOnWhicheverMachineHadIt() {
    var answer = reads.find(TASK);
    one.answer(LogsRead.newBuilder().setEnd(true));
    two.answer(
        LogsRead.newBuilder()
            .setContainer(ContainerRecord.newBuilder().setAppId(APP))
            .setEnd(true));

    assertThat(now(answer).orElseThrow().getAppId()).isEqualTo(APP);
  }

  @Test
  void aLinkThatBreaksMeansTryAgain() {
    var answer = reads.newest(APP, ALL, EVER, 3);
    one.answer(lines(1).setEnd(true));
    reads.lost(two.id, two);

    assertThat(failure(answer).code()).isEqualTo(StatusCode.UNAVAILABLE);
    var again = reads.newest(APP, ALL, EVER, 3);
    one.answer(lines(1).setEnd(true));
    assertThat(now(again)).hasSize(1);
  }

  @Test
  void moreThanFitsIsRefusedWithWhatToDo() {
    var answer = reads.newest(APP, ALL, EVER, 3);
    one.answer(LogsRead.newBuilder().setTooManyBytes(true).setEnd(true));
    two.answer(lines().setEnd(true));

    assertThat(failure(answer).code()).isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
    assertThat(failure(answer)).hasMessageContaining("shorter time");
  }

  @Test
  void fewQuestionsAreAskedAtATimeAndTooManyAreRefused() {
    IntStream.range(0, LogReads.AT_A_TIME + LogReads.WAITING_LIMIT)
        .forEach(_ -> assertThat(reads.find(TASK)).isNotCompleted());
    assertThat(one.asked).hasSize(LogReads.AT_A_TIME);
    assertThatThrownBy(() -> reads.find(TASK)).isInstanceOf(RpcFailure.class);

    one.answer(LogsRead.newBuilder().setEnd(true));
    two.answer(LogsRead.newBuilder().setEnd(true));

    assertThat(one.asked).hasSize(LogReads.AT_A_TIME + 1);
  }
}
