package dev.troupe.actors.function;

import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LogWrite;
import java.time.Instant;

/**
 * Carries out what becomes of an input whose run is over: it ends, or runs again. Part of {@link
 * FunctionActor}, which calls it from its own thread alone.
 */
final class Runs {

  private static final String CANCELLED = "The call was cancelled.";

  private final Mailbox mailbox;
  private final Commits commits;
  private final OutputDesk outputs;
  private final Fleet fleet;

  Runs(Mailbox mailbox, Commits commits, OutputDesk outputs, Fleet fleet) {
    this.mailbox = mailbox;
    this.commits = commits;
    this.outputs = outputs;
    this.fleet = fleet;
  }

  /** Its container has it no more. */
  void release(Input input, Instant now) {
    LeaseMark lease = input.lease();
    Container container = lease == null ? null : fleet.find(lease.task());
    if (container != null) {
      container.release(input.id(), now);
    }
  }

  /** Counts a run; the next one may begin once the count is durable. */
  void again(Input input, Verdict.Again again, Instant now) {
    release(input, now);
    mailbox.spend(input, again.attempts(), again.lost());
    commits.add(new LogWrite.Spent(input.id(), again.attempts(), again.lost()));
    Instant notBefore = now.plus(again.delay());
    commits.then(false, (_, later) -> mailbox.again(input, notBefore, later));
  }

  /** Ends an input by a word of the platform. */
  void end(Input input, int status, String message, Instant now) {
    LeaseMark lease = input.lease();
    release(input, now);
    outputs.end(input, status, message, lease == null ? "" : lease.task().value(), now);
  }

  /** Ends an input of a cancelled call. */
  void cancelled(Input input, Instant now) {
    end(input, Status.TERMINATED, CANCELLED, now);
  }

  /** Carries out a verdict. */
  void settle(Input input, Verdict verdict, Instant now) {
    switch (verdict) {
      case Verdict.Again again when !input.call().cancelled() -> again(input, again, now);
      case Verdict.Again _ -> cancelled(input, now);
      case Verdict.End(var status, var message) -> end(input, status, message, now);
    }
  }
}
