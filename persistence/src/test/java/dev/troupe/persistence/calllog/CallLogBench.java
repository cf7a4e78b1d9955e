package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.get;
import static dev.troupe.persistence.calllog.Rows.newCall;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;

/**
 * How fast the call log writes on this machine; no test. Arguments: a directory on the disk to be
 * measured, and the seconds of each round; a third: as on a shared database. For each number of
 * writes in flight it prints writes/s and CPU a write of the whole process, for new inputs alone
 * and for an input's whole life.
 */
final class CallLogBench {

  private static final Payload BYTES = Payload.of(new byte[100], null);

  public static void main(String[] arguments) throws Exception {
    Path parent = Path.of(arguments[0]);
    Duration round = Duration.ofSeconds(Long.parseLong(arguments[1]));
    Path directory = Files.createTempDirectory(parent, "call-log-bench");
    try (Database database =
            Database.open(
                Database.Address.h2(directory.resolve("calls"), 32 << 20),
                "calls",
                4,
                Duration.ofSeconds(10));
        BlockingReads reads = new BlockingReads();
        JdbcCallLog log =
            arguments.length > 2
                ? JdbcCallLog.shared(database, reads, Rows.settings())
                : JdbcCallLog.alone(database, reads, Rows.settings(), directory.resolve("log"))) {
      CallLogBench bench = new CallLogBench(log, get(log.claim(F)));
      bench.inputs(50, round.multipliedBy(3), "warm-up");
      for (int inFlight : new int[] {1, 50, 500}) {
        bench.inputs(inFlight, round, "new inputs");
      }
      for (int inFlight : new int[] {1, 50, 500}) {
        bench.lives(inFlight, round);
      }
      System.out.printf("file %d MB%n", Files.size(directory.resolve("calls.mv.db")) >> 20);
    } finally {
      delete(directory);
    }
  }

  private final CallLog log;
  private final long epoch;
  private int calls;

  private CallLogBench(CallLog log, long epoch) {
    this.log = log;
    this.epoch = epoch;
  }

  /** One write starts as soon as one of those in flight is done. */
  private interface Operation {
    CompletionStage<Written> start(CallId call, int index);
  }

  private void inputs(int inFlight, Duration time, String name) throws InterruptedException {
    run(name, inFlight, time, (call, index) -> log.write(F, epoch, List.of(newInput(call, index))));
  }

  private void lives(int inFlight, Duration time) throws InterruptedException {
    run(
        "whole lives",
        inFlight,
        time,
        (call, index) -> {
          InputId input = InputId.of(call, index);
          return log.write(F, epoch, List.of(newInput(call, index)))
              .thenCompose(_ -> log.write(F, epoch, List.of(leased(input))))
              .thenCompose(_ -> log.write(F, epoch, List.of(finished(input))))
              .thenCompose(
                  _ ->
                      log.write(
                          F, epoch, List.of(new LogWrite.Cleared(List.of(input), Instant.now()))));
        });
  }

  private void run(String name, int inFlight, Duration time, Operation operation)
      throws InterruptedException {
    CallId call = call(F, "bench " + calls++);
    get(log.write(F, epoch, List.of(newCall(call, -1))));
    Semaphore window = new Semaphore(inFlight);
    long cpuBefore = cpuNanos();
    long start = System.nanoTime();
    int count = 0;
    while (System.nanoTime() - start < time.toNanos()) {
      window.acquire();
      operation
          .start(call, count++)
          .whenComplete(
              (written, failure) -> {
                if (failure != null || !(written instanceof Written.Done)) {
                  throw new AssertionError(String.valueOf(written), failure);
                }
                window.release();
              });
    }
    window.acquire(inFlight);
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%-12s %4d in flight: %8.0f/s, %6.1f µs CPU each%n",
        name, inFlight, count / seconds, (cpuNanos() - cpuBefore) / 1e3 / count);
  }

  private static LogWrite newInput(CallId call, int index) {
    return new LogWrite.NewInput(
        new InputRow(InputId.of(call, index), index, "", BYTES, 0, 0, null, Instant.now()));
  }

  private LogWrite leased(InputId input) {
    return new LogWrite.Leased(
        input, new LeaseMark(new LeaseToken(epoch, input.index()), Rows.TASK, Instant.now()));
  }

  private LogWrite finished(InputId input) {
    return new LogWrite.Finished(
        new OutputRow(
            input,
            new OutputNumber(epoch, input.index()),
            1,
            BYTES,
            "",
            4,
            Rows.TASK.value(),
            Instant.now(),
            Instant.now(),
            null));
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
