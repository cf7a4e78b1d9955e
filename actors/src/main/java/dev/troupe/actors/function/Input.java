package dev.troupe.actors.function;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** An unfinished input in memory. It waits, or it is leased to one container. */
final class Input {

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
  private boolean cancelSent;

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

  Instant notBefore() {
    return notBefore;
  }

  @Nullable LeaseMark lease() {
    return lease;
  }

  boolean cancelSent() {
    return cancelSent;
  }

  void cancelSent(boolean sent) {
    cancelSent = sent;
  }

  void leased(LeaseMark mark) {
    lease = mark;
    cancelSent = false;
  }

  void spent(int newAttempts, int newLost, Instant runsNotBefore) {
    attempts = newAttempts;
    lost = newLost;
    notBefore = runsNotBefore;
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
