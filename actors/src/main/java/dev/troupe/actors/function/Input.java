package dev.troupe.actors.function;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** An unfinished input in memory. Only its {@link Mailbox} moves it from standing to standing. */
final class Input {

  /** Where it is on its way. */
  enum Standing {
    /** Its row is not known to be new until its commit is through; it may not run before. */
    PARKED,
    /** It may run now. */
    READY,
    /** It may run at a later time. */
    DELAYED,
    /** A container has it. */
    LEASED,
    /** A run of it is over, and that is being written down. */
    SPENT,
    /** It is in the log alone. */
    TAIL,
    /** It has an output, or was never taken in. */
    GONE
  }

  private final InputId id;
  private final Call call;
  private final long position;
  private final String methodName;
  private final Payload payload;
  private final Instant createdAt;
  private int attempts;
  private int lost;
  private Instant notBefore;
  private @Nullable LeaseMark lease;
  private Standing standing = Standing.PARKED;
  private boolean fresh;
  private boolean durable;
  private boolean everLeased;
  private @Nullable Instant cancelSentAt;
  private Call.@Nullable Output output;

  Input(Call call, InputRow row) {
    this.id = row.input();
    this.call = call;
    this.position = row.position();
    this.methodName = row.methodName();
    this.payload = row.payload();
    this.createdAt = row.createdAt();
    this.attempts = row.attempts();
    this.lost = row.lost();
    this.notBefore = row.createdAt();
    this.lease = row.lease();
  }

  InputId id() {
    return id;
  }

  Call call() {
    return call;
  }

  long position() {
    return position;
  }

  String methodName() {
    return methodName;
  }

  Payload payload() {
    return payload;
  }

  int attempts() {
    return attempts;
  }

  int lost() {
    return lost;
  }

  /** Runs so far; what the runner is told, so that it takes a repeat for a new run. */
  int runs() {
    return attempts + lost;
  }

  /** Since when it waits, or when it may run. */
  Instant notBefore() {
    return notBefore;
  }

  Standing standing() {
    return standing;
  }

  void stands(Standing next) {
    standing = next;
  }

  /** The container that has it; null where none has. */
  @Nullable LeaseMark lease() {
    return lease;
  }

  /** Whether its row is still to be written by the command under way. */
  boolean fresh() {
    return fresh;
  }

  void fresh(boolean isFresh) {
    fresh = isFresh;
  }

  /** Whether its row is in the log for good. */
  boolean durable() {
    return durable;
  }

  void committed() {
    durable = true;
  }

  /** What it ended in; null while it has not. */
  Call.@Nullable Output output() {
    return output;
  }

  void output(Call.Output ended) {
    output = ended;
  }

  /** When its container was last told to stop running it; null where it was not. */
  @Nullable Instant cancelSentAt() {
    return cancelSentAt;
  }

  void cancelSent(Instant at) {
    cancelSentAt = at;
  }

  /** Whether anything was written of it but that it came. */
  boolean wasWrittenOf() {
    return everLeased || output != null;
  }

  void leased(LeaseMark mark) {
    lease = mark;
    everLeased = true;
    cancelSentAt = null;
  }

  void spent(int newAttempts, int newLost) {
    attempts = newAttempts;
    lost = newLost;
    lease = null;
  }

  void runsNotBefore(Instant instant) {
    notBefore = instant;
  }

  /** As the log keeps it. */
  InputRow row() {
    return new InputRow(id, position, methodName, payload, attempts, lost, lease, createdAt);
  }
}
