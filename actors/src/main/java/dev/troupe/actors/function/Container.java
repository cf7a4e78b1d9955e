package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Launch;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A container as its function sees it: from the wish for one to the word that it is gone. */
final class Container {

  /** How far it is. Only ever goes forward. */
  enum Phase {
    /** Wanted: a machine is being asked. */
    ASKING,
    /** No machine had room: it is in a waiting list. */
    WAITING,
    /** A machine granted it. */
    PLACED,
    /** Its process exists. */
    STARTED,
    /** Its runner asks for inputs. */
    SERVING,
    /** It was told to leave. */
    LEAVING
  }

  private final TaskId task;
  private final FunctionDefinition definition;
  private final Instant wantedAt;
  private Phase phase = Phase.ASKING;
  private @Nullable MachineId machine;
  private @Nullable Launch launch;
  private Instant restatedAt;
  private @Nullable Instant startedAt;
  private Instant phaseSince;
  private Instant idleSince;
  private Instant spokeAt;
  private final Set<MachineId> refusedBy = new HashSet<>();
  private @Nullable String waitReason;
  private boolean killed;
  private boolean everAsked;
  private boolean everLeased;

  private final Set<InputId> held = new LinkedHashSet<>();
  private @Nullable Answered lastAnswer;
  private final List<LeasedInput> undelivered = new ArrayList<>();
  private @Nullable HeldBeat beat;

  /** The last answer with items, for a repeat under its key. */
  record Answered(String pollKey, List<LeasedInput> items) {}

  /** A heartbeat that is being held. */
  record HeldBeat(Beat beat, Instant until) {}

  Container(TaskId task, FunctionDefinition definition, Instant now) {
    this.task = task;
    this.definition = definition;
    this.wantedAt = now;
    this.phaseSince = now;
    this.idleSince = now;
    this.restatedAt = now;
    this.spokeAt = now;
  }

  TaskId task() {
    return task;
  }

  FunctionDefinition definition() {
    return definition;
  }

  Instant wantedAt() {
    return wantedAt;
  }

  Phase phase() {
    return phase;
  }

  Instant phaseSince() {
    return phaseSince;
  }

  /** Goes forward to {@code next}; false where it is there or further already. */
  boolean reach(Phase next, Instant now) {
    if (phase.compareTo(next) >= 0) {
      return false;
    }
    phase = next;
    phaseSince = now;
    if (next == Phase.STARTED || (next == Phase.SERVING && startedAt == null)) {
      startedAt = now;
    }
    if (next == Phase.SERVING) {
      // Until now it had nothing to be idle from.
      idleSince = now;
      everAsked = true;
    }
    return true;
  }

  /** Whether its process was seen, though it may be gone since. */
  boolean wasStarted() {
    return startedAt != null;
  }

  @Nullable MachineId machine() {
    return machine;
  }

  /**
   * Whether it has its place, and on another machine: the first that it was given is its place, and
   * a later one would be a second container of the same name.
   */
  boolean isElsewhere(MachineId place) {
    return phase.compareTo(Phase.PLACED) >= 0 && machine != null && !machine.equals(place);
  }

  void placedOn(MachineId place) {
    machine = place;
  }

  @Nullable Instant startedAt() {
    return startedAt;
  }

  /** A machine was asked for a place. */
  void asked(MachineId place, Launch wish) {
    machine = place;
    launch = wish;
  }

  /** A machine that was not asked gave it a place. */
  void granted(MachineId place) {
    machine = place;
    launch = null;
  }

  /** What a machine was asked for; null while none was. */
  @Nullable Launch launch() {
    return launch;
  }

  /** Whether what it waits for should be said again; true at most once a {@code period}. */
  boolean restateDue(Instant now, Duration period) {
    if (restatedAt.plus(period).isAfter(now)) {
      return false;
    }
    restatedAt = now;
    return true;
  }

  /** What it waits for was said now. */
  void restated(Instant now) {
    restatedAt = now;
  }

  Set<MachineId> refusedBy() {
    return refusedBy;
  }

  /** What it waits for; null where it never waited. */
  @Nullable String waitReason() {
    return waitReason;
  }

  void waitReason(String reason) {
    waitReason = reason;
  }

  boolean leaving() {
    return phase == Phase.LEAVING;
  }

  /** It was told to end by a signal, so that its end says nothing about its inputs. */
  boolean killed() {
    return killed;
  }

  void kill() {
    killed = true;
  }

  /** Its runner has asked for inputs, so that it asks again or is about to exit. */
  boolean everAsked() {
    return everAsked || everLeased;
  }

  /** When its runner, or its machine, was last heard of it. */
  Instant spokeAt() {
    return spokeAt;
  }

  void spoke(Instant now) {
    spokeAt = now;
  }

  // ---- inputs

  Set<InputId> held() {
    return held;
  }

  boolean everLeased() {
    return everLeased;
  }

  void hold(InputId input) {
    held.add(input);
    everLeased = true;
  }

  void release(InputId input, Instant now) {
    if (held.remove(input) && held.isEmpty()) {
      idleSince = now;
    }
  }

  boolean idle() {
    return held.isEmpty();
  }

  Instant idleSince() {
    return idleSince;
  }

  /** It has had its one input: its runner ends by itself. */
  boolean spent() {
    return everLeased && definition.singleUse();
  }

  /** Its definition is the one in force. */
  boolean current(@Nullable FunctionDefinition inForce) {
    return inForce != null && inForce.definitionId().equals(definition.definitionId());
  }

  /** Inputs that it could take beside those it has. */
  int room(@Nullable FunctionDefinition inForce) {
    return phase != Phase.SERVING || spent() || !current(inForce)
        ? 0
        : Math.max(0, Math.max(1, definition.concurrency().max()) - held.size());
  }

  // ---- polls

  /**
   * What a poll under {@code key} was answered with, as far as it still has it; null where it was
   * not, or with nothing.
   */
  @Nullable List<LeasedInput> answerTo(String key) {
    return lastAnswer != null && !key.isEmpty() && lastAnswer.pollKey().equals(key)
        ? lastAnswer.items().stream().filter(item -> held.contains(item.input())).toList()
        : null;
  }

  void answered(String key, List<LeasedInput> items) {
    lastAnswer = new Answered(key, items);
  }

  /** The answer to the poll under {@code key} never arrived: its items go to the next poll. */
  void broke(String key) {
    if (lastAnswer != null && lastAnswer.pollKey().equals(key)) {
      undelivered.addAll(lastAnswer.items());
      lastAnswer = null;
    }
  }

  /** Items of a broken poll that are still held, each once; at most {@code most} of one method. */
  List<LeasedInput> takeUndelivered(int most) {
    undelivered.removeIf(item -> !held.contains(item.input()));
    List<LeasedInput> items =
        undelivered.stream()
            .filter(item -> item.methodName().equals(undelivered.getFirst().methodName()))
            .limit(most)
            .toList();
    undelivered.removeAll(items);
    return items;
  }

  @Nullable HeldBeat beat() {
    return beat;
  }

  void beat(@Nullable HeldBeat heldBeat) {
    beat = heldBeat;
  }
}
