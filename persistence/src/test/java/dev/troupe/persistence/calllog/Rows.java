package dev.troupe.persistence.calllog;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.persistence.PersistenceSettings;
import dev.troupe.persistence.store.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Functions, calls, inputs and outputs for tests, and a database to put them in. */
final class Rows {

  static final Instant T0 = Instant.parse("2026-11-24T12:00:00.123456Z");
  static final FunctionId F = function("f");
  static final FunctionId G = function("g");
  static final TaskId TASK = Ids.task("a task of tests!".getBytes(UTF_8));

  static FunctionId function(String name) {
    return new FunctionId(FunctionId.PREFIX + Ids.contentKey("function", name));
  }

  static CallId call(FunctionId function, String name) {
    return CallId.of(function, Ids.contentKey("call", name));
  }

  static BlobId blob(String name) {
    return new BlobId(BlobId.PREFIX + Ids.contentKey("blob", name));
  }

  static LogWrite.NewCall newCall(CallId call, int total) {
    return newCall(call, total, T0);
  }

  static LogWrite.NewCall newCall(CallId call, int total, Instant at) {
    return new LogWrite.NewCall(
        new CallRow(
            call,
            total == 1 ? CallRow.Kind.UNARY : CallRow.Kind.MAP,
            CallRow.Invocation.ASYNC,
            total,
            false,
            at));
  }

  static InputRow waiting(CallId call, int index, long position) {
    return waiting(call, index, position, Payload.of("payload".getBytes(UTF_8), null));
  }

  static InputRow waiting(CallId call, int index, long position, Payload payload) {
    return new InputRow(InputId.of(call, index), position, "", payload, 0, 0, null, T0);
  }

  static LogWrite.NewInput newInput(CallId call, int index, long position) {
    return new LogWrite.NewInput(waiting(call, index, position));
  }

  static LeaseMark mark(long number) {
    return new LeaseMark(new LeaseToken(1, number), TASK, T0);
  }

  static OutputRow output(CallId call, int index, long number) {
    return output(call, index, number, Payload.of("result".getBytes(UTF_8), null), T0);
  }

  static OutputRow output(CallId call, int index, long number, Payload result, Instant at) {
    return new OutputRow(
        InputId.of(call, index),
        new OutputNumber(1, number),
        1,
        result,
        "",
        4,
        TASK.value(),
        T0,
        at,
        null);
  }

  static PersistenceSettings settings() {
    return new PersistenceSettings(
        "",
        "",
        "",
        "",
        4,
        Duration.ofSeconds(10),
        2,
        1 << 20,
        1 << 20,
        1000,
        Duration.ofMillis(5),
        8,
        Duration.ofMillis(1),
        Duration.ofMillis(100),
        1 << 20,
        Duration.ofMillis(5),
        Duration.ofMillis(50),
        4 << 20);
  }

  static Database h2(Path directory) {
    return Database.open(
        Database.Address.h2(directory.resolve("calls"), 4 << 20),
        "calls",
        4,
        Duration.ofSeconds(10));
  }

  static <T> T get(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      throw new AssertionError("failed: " + failed.getCause(), failed.getCause());
    } catch (TimeoutException | InterruptedException late) {
      throw new AssertionError("no answer", late);
    }
  }

  private Rows() {}
}
