package dev.troupe.gateway.link;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.FindContainer;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.ReadLogs;
import dev.troupe.protocol.link.ToMachine;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the machines, then the archive, and puts their answers together. A machine says with which
 * line begins what it holds; the archive is read up to there, and whole for machines that are away.
 * The archive is asked last: what a machine no longer held when it answered, the archive has.
 */
public final class LogReads implements LogHistory {

  /** Bytes of text in one answer; more is refused. */
  static final long MOST_BYTES = 32L << 20;

  /** Questions that are being answered at a time. */
  static final int AT_A_TIME = 4;

  /** Questions that wait for their turn; a client has 20 at once. */
  static final int WAITING_LIMIT = 400;

  private static final Logger LOG = LoggerFactory.getLogger(LogReads.class);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private static final Comparator<LogLine> BY_TIME =
      Comparator.comparingLong(LogLine::getTimeUs).thenComparingLong(LogLine::getNumber);

  private final ArchivedLogs archive;
  private final Executor blocking;
  private final Map<MachineId, Consumer<ToMachine>> links = new ConcurrentHashMap<>();
  private final Map<String, Part> open = new ConcurrentHashMap<>();
  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private int running;

  /**
   * Reads the machines' logs, and these.
   *
   * @param blocking where the archive is read
   */
  public LogReads(LogArchive archive, Executor blocking) {
    this.archive = new ArchivedLogs(archive);
    this.blocking = blocking;
  }

  /** What one machine has answered so far. */
  private static final class Part {
    private final MachineId machine;
    private final List<LogLine> lines = new ArrayList<>();
    private final CompletableFuture<LogsRead> end = new CompletableFuture<>();
    private long bytes;

    private Part(MachineId machine) {
      this.machine = machine;
    }

    private synchronized void heard(LogsRead answer) {
      lines.addAll(answer.getLinesList());
      answer.getLinesList().forEach(line -> bytes += line.getTextBytes().size());
      if (answer.getTooManyBytes() || bytes > MOST_BYTES) {
        end.completeExceptionally(tooMuch());
      } else if (!answer.getFailure().isEmpty()) {
        end.completeExceptionally(
            RpcFailure.unavailable(
                "Machine '%s' can't read its logs: %s.".formatted(machine, answer.getFailure()),
                RETRY_AFTER));
      } else if (answer.getEnd()) {
        end.complete(answer);
      }
    }

    private synchronized List<LogLine> lines() {
      return List.copyOf(lines);
    }
  }

  private static RpcFailure tooMuch() {
    return RpcFailure.tooLarge(
        "The lines asked for are more than %d MiB: ask for fewer, or for a shorter time."
            .formatted(MOST_BYTES >> 20));
  }

  // ---- questions

  @Override
  public CompletionStage<List<LogLine>> newest(
      String log, LogFilter filter, Range range, int most) {
    ReadLogs question = question(log, filter, range).setNewest(most).build();
    return inTurn(
        () ->
            ask(id -> read(question, id))
                .thenApplyAsync(
                    parts -> newest(parts, archived(parts, log, filter, range, most), most),
                    blocking));
  }

  /** What the archive has beside the machines' answers. */
  private List<List<LogLine>> archived(
      List<Part> parts, String log, LogFilter filter, Range range, int most) {
    return beside(
        parts,
        log,
        machine -> {
          Part part = machine.part();
          if (part != null && part.lines().size() >= most) {
            return List.of();
          }
          try {
            return archive.newest(
                new ArchivedLogs.Stretch(log, machine.id(), range, machine.before()),
                filter,
                most,
                MOST_BYTES);
          } catch (ArchivedLogs.TooManyBytes tooMany) {
            throw tooMuch();
          }
        });
  }

  /** A machine of which the archive has lines, and its answer where it is linked. */
  private record Archived(MachineId id, @Nullable Part part) {

    /** Where the lines begin that it gave itself. An older agent has sent nothing. */
    private long before() {
      if (part == null) {
        return Long.MAX_VALUE;
      }
      LogsRead end = part.end.join();
      return end.hasHeldFrom() ? end.getHeldFrom() : 0;
    }
  }

  /** Reads what the archive has of one machine. */
  private interface ArchiveReading<T> {
    T of(Archived machine) throws IOException;
  }

  private <T> List<T> beside(List<Part> parts, String log, ArchiveReading<T> reading) {
    Map<MachineId, Part> answered = new HashMap<>();
    parts.forEach(part -> answered.put(part.machine, part));
    try {
      List<T> found = new ArrayList<>();
      for (MachineId machine : archive.machines(log)) {
        found.add(reading.of(new Archived(machine, answered.get(machine))));
      }
      return found;
    } catch (IOException failure) {
      LOG.warn("the archive's lines of {} can't be read", log, failure);
      throw RpcFailure.unavailable(
          "The archive of logs can't be read: %s.".formatted(failure.getMessage()), RETRY_AFTER);
    }
  }

  private static List<LogLine> newest(List<Part> parts, List<List<LogLine>> archived, int most) {
    List<LogLine> lines = new ArrayList<>();
    archived.forEach(lines::addAll);
    parts.forEach(part -> lines.addAll(part.lines()));
    lines.sort(BY_TIME);
    List<LogLine> newest = lines.subList(Math.max(0, lines.size() - most), lines.size());
    long bytes = newest.stream().mapToLong(line -> line.getTextBytes().size()).sum();
    if (bytes > MOST_BYTES) {
      throw tooMuch();
    }
    return newest;
  }

  @Override
  public CompletionStage<List<LogCount>> count(
      String log, LogFilter filter, Range range, long bucketMicros) {
    ReadLogs question = question(log, filter, range).setBucketUs(bucketMicros).build();
    return inTurn(
        () ->
            ask(id -> read(question, id))
                .thenApplyAsync(
                    parts ->
                        sum(
                            parts,
                            beside(
                                parts,
                                log,
                                machine ->
                                    archive.count(
                                        new ArchivedLogs.Stretch(
                                            log, machine.id(), range, machine.before()),
                                        filter,
                                        Math.max(1, bucketMicros)))),
                    blocking));
  }

  private static List<LogCount> sum(List<Part> parts, List<Map<Long, LogCount>> archived) {
    Map<Long, LogCount> sums = new TreeMap<>();
    archived.forEach(
        counts -> counts.forEach((start, count) -> sums.merge(start, count, LogReads::plus)));
    for (Part part : parts) {
      part.end
          .join()
          .getCountsList()
          .forEach(one -> sums.merge(one.getStartUs(), one, LogReads::plus));
    }
    return List.copyOf(sums.values());
  }

  static LogCount plus(LogCount one, LogCount other) {
    return one.toBuilder()
        .setStdout(one.getStdout() + other.getStdout())
        .setStderr(one.getStderr() + other.getStderr())
        .setSystem(one.getSystem() + other.getSystem())
        .build();
  }

  @Override
  public CompletionStage<Optional<ContainerRecord>> find(TaskId task) {
    return inTurn(
        () ->
            ask(id ->
                    ToMachine.newBuilder()
                        .setFindContainer(
                            FindContainer.newBuilder().setReadId(id).setTaskId(task.value()))
                        .build())
                .thenApply(
                    parts ->
                        parts.stream()
                            .map(part -> part.end.join())
                            .filter(LogsRead::hasContainer)
                            .map(LogsRead::getContainer)
                            .findFirst()));
  }

  private static ReadLogs.Builder question(String log, LogFilter filter, Range range) {
    return ReadLogs.newBuilder()
        .setAppId(log)
        .setFilter(filter)
        .setSinceUs(range.sinceMicros())
        .setUntilUs(range.untilMicros())
        .setMostBytes(MOST_BYTES);
  }

  private static ToMachine read(ReadLogs question, String id) {
    return ToMachine.newBuilder().setReadLogs(question.toBuilder().setReadId(id)).build();
  }

  /** Asks every machine; gives their answers once all are there. */
  private CompletableFuture<List<Part>> ask(Function<String, ToMachine> question) {
    List<String> ids = new ArrayList<>();
    List<Part> parts = new ArrayList<>();
    links.forEach(
        (machine, link) -> {
          String id = UUID.randomUUID().toString();
          Part part = new Part(machine);
          ids.add(id);
          parts.add(part);
          open.put(id, part);
          link.accept(question.apply(id));
          if (!links.containsKey(machine)) {
            lost(part);
          }
        });
    return CompletableFuture.allOf(
            parts.stream().map(part -> part.end).toArray(CompletableFuture[]::new))
        .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .whenComplete((_, _) -> ids.forEach(open::remove))
        .thenApply(_ -> parts);
  }

  // ---- machines

  /** A machine has a new link. */
  void linked(MachineId machine, Consumer<ToMachine> link) {
    links.put(machine, link);
    breakOff(machine);
  }

  /** A link is gone: what was asked over it will have no answer. */
  void lost(MachineId machine, Consumer<ToMachine> link) {
    if (links.remove(machine, link)) {
      breakOff(machine);
    }
  }

  private void breakOff(MachineId machine) {
    open.values().stream().filter(part -> part.machine.equals(machine)).forEach(LogReads::lost);
  }

  private static void lost(Part part) {
    part.end.completeExceptionally(
        RpcFailure.unavailable(
            "The link of machine '%s' broke while its logs were read.".formatted(part.machine),
            RETRY_AFTER));
  }

  /** A machine has answered. */
  void received(MachineId machine, LogsRead answer) {
    Part part = open.get(answer.getReadId());
    if (part != null && part.machine.equals(machine)) {
      part.heard(answer);
    }
  }

  // ---- turns

  private <T> CompletionStage<T> inTurn(Supplier<CompletableFuture<T>> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    Runnable run = () -> answer(question.get(), answer);
    synchronized (this) {
      if (running >= AT_A_TIME) {
        if (waiting.size() >= WAITING_LIMIT) {
          throw RpcFailure.overloaded("Too many questions about logs at once.", RETRY_AFTER);
        }
        waiting.add(run);
        return answer;
      }
      running++;
    }
    run.run();
    return answer;
  }

  private <T> void answer(CompletableFuture<T> found, CompletableFuture<T> answer) {
    var unused =
        found.whenComplete(
            (value, failure) -> {
              next();
              if (failure == null) {
                answer.complete(value);
              } else {
                answer.completeExceptionally(failure);
              }
            });
  }

  private void next() {
    Runnable run;
    synchronized (this) {
      run = waiting.poll();
      if (run == null) {
        running--;
      }
    }
    if (run != null) {
      run.run();
    }
  }
}
