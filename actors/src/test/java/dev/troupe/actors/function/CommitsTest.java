package dev.troupe.actors.function;

import static dev.troupe.actors.function.Samples.T0;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.testing.InMemoryCallLog;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CommitsTest {

  private static final FunctionId F = Samples.function("f");
  private static final CallId C = Samples.call(F, "c");

  private final InMemoryCallLog log = new InMemoryCallLog();
  private final Map<Long, CompletionStage<Written>> given = new LinkedHashMap<>();
  private final List<String> heard = new ArrayList<>();
  private final Mailbox mailbox = new Mailbox(1, 0, 100);
  private Commits commits;

  CommitsTest() {
    commits = new Commits(F, 1, log, given::put);
  }

  @BeforeEach
  void claim() {
    log.claim(F);
    commits = new Commits(F, 1, log, given::put);
  }

  private Commits.Then hear(String name) {
    return (written, _) -> heard.add(name + " " + written.getClass().getSimpleName());
  }

  private Written outcome(long ticket) {
    return Objects.requireNonNull(given.get(ticket)).toCompletableFuture().join();
  }

  private void decide(long ticket) {
    commits.decided(ticket, outcome(ticket), T0);
  }

  private Input fresh(int index) {
    Call call = mailbox.call(C);
    if (call == null) {
      call = mailbox.open(Samples.map(C, Invocation.SYNC));
      commits.open(call.row());
    }
    Input input = Objects.requireNonNull(mailbox.add(call, Samples.input(index), T0));
    commits.fresh(input);
    return input;
  }

  @Test
  void whatWritesNothingWaitsForNothing() {
    commits.then(false, hear("reply"));
    commits.afterAll(hear("after"));

    commits.flush(T0);

    assertThat(heard).containsExactly("after Done", "reply Done");
    assertThat(given).isEmpty();
  }

  @Test
  void anInputLeasedByTheCommandThatBroughtItIsWrittenOnce() {
    Input input = fresh(0);
    assertThat(input.fresh()).isTrue();
    mailbox.lease(Samples.task("t"), 1, T0);

    commits.flush(T0);

    assertThat(input.fresh()).isFalse();
    assertThat(log.input(input.id()).orElseThrow().lease()).isEqualTo(input.lease());
  }

  @Test
  void anInputIsWrittenBeforeItsEnd() {
    Input input = fresh(0);
    commits.add(new LogWrite.Spent(input.id(), 1, 0));
    commits.add(new LogWrite.Total(C, 1));

    commits.flush(T0);

    assertThat(outcome(1)).isEqualTo(new Written.Done());
    assertThat(log.input(InputId.of(C, 0)).orElseThrow().attempts()).isOne();
  }

  @Test
  void whatMayBeRefusedHearsOfItAndWhatMayNotIsGivenAgain() {
    log.overloaded(true);
    fresh(0);
    commits.then(true, hear("submit"));
    commits.flush(T0);
    commits.add(new LogWrite.Total(C, 1));
    commits.then(false, hear("total"));
    commits.flush(T0);

    assertThat(commits.putOff(1, outcome(1))).isFalse();
    decide(1);
    assertThat(commits.putOff(2, outcome(2))).isTrue();
    log.overloaded(false);
    commits.again(2);
    decide(2);

    assertThat(heard).containsExactly("submit Overloaded", "total Done");
    assertThat(commits.underWay()).isZero();
  }

  @Test
  void whatFailsForGoodIsGivenUpAfterAFewTries() {
    commits.add(new LogWrite.Total(C, 1));
    commits.then(false, hear("total"));
    commits.flush(T0);
    Written failed = new Written.Failed("too big");
    int tries = 0;
    while (commits.putOff(1, failed)) {
      commits.again(1);
      tries++;
    }
    commits.decided(1, failed, T0);

    assertThat(tries).isEqualTo(5);
    assertThat(heard).containsExactly("total Failed");
  }

  @Test
  void anOverloadIsNoFailureHoweverLongItLasts() {
    commits.add(new LogWrite.Total(C, 1));
    commits.flush(T0);

    for (int i = 0; i < 1_000; i++) {
      assertThat(commits.putOff(1, new Written.Overloaded())).isTrue();
    }
  }

  @Test
  void aRepeatWaitsForAllThatIsUnderWayAndHearsOfARefusal() {
    log.holdCommits();
    fresh(0);
    commits.flush(T0);
    fresh(1);
    commits.flush(T0);
    commits.afterAll(hear("repeat"));
    commits.flush(T0);
    log.releaseCommits();

    decide(2);
    assertThat(heard).isEmpty();
    commits.decided(1, new Written.Overloaded(), T0);

    assertThat(heard).containsExactly("repeat Overloaded");
  }

  @Test
  void leasesOfARefusedCommandAreWrittenWithTheNext() {
    Input before = fresh(0);
    commits.flush(T0);
    decide(1);
    fresh(1);
    commits.then(true, hear("put"));
    mailbox.lease(Samples.task("t"), 1, T0);
    commits.add(new LogWrite.Leased(before.id(), Objects.requireNonNull(before.lease())));
    log.refuseNext(new Written.Overloaded());
    commits.flush(T0);

    decide(2);
    commits.flush(T0);

    assertThat(heard).containsExactly("put Overloaded");
    assertThat(log.input(before.id()).orElseThrow().lease()).isEqualTo(before.lease());
  }

  @Test
  void whoeverWaitsIsToldWhenTheOwnerIsFenced() {
    log.holdCommits();
    fresh(0);
    commits.then(true, hear("put"));
    commits.flush(T0);
    commits.add(new LogWrite.Total(C, 1));
    commits.then(false, hear("total"));
    commits.afterAll(hear("repeat"));
    commits.flush(T0);

    commits.fenced(T0);

    assertThat(heard).containsExactly("put Fenced", "total Fenced", "repeat Fenced");
    assertThat(commits.underWay()).isZero();
  }
}
