package dev.troupe.persistence.calllog;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
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
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.persistence.calllog.proto.Cancelled;
import dev.troupe.persistence.calllog.proto.Change;
import dev.troupe.persistence.calllog.proto.Changes;
import dev.troupe.persistence.calllog.proto.Cleared;
import dev.troupe.persistence.calllog.proto.Finished;
import dev.troupe.persistence.calllog.proto.Input;
import dev.troupe.persistence.calllog.proto.Lease;
import dev.troupe.persistence.calllog.proto.Leased;
import dev.troupe.persistence.calllog.proto.NewCall;
import dev.troupe.persistence.calllog.proto.NewInput;
import dev.troupe.persistence.calllog.proto.Spent;
import dev.troupe.persistence.calllog.proto.Total;
import dev.troupe.persistence.store.Micros;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes of a function as bytes of the write-ahead log, both ways. Refuses what would not fit into
 * the tables: once the bytes are committed it is too late.
 */
final class ChangeCodec {

  /** So that any change fits into a row: H2 takes 1 MiB of bytes into a column. */
  private static final int MOST_CHARACTERS = 100_000;

  /** Bytes of a part, unless its first change alone has more. */
  private static final int PART_BYTES = 200_000;

  /** Some changes, and their bytes: those of two parts, one behind the other, are those of both. */
  record Part(List<LogWrite> changes, byte[] bytes) {}

  private final FunctionId function;

  private ChangeCodec(FunctionId function) {
    this.function = function;
  }

  /**
   * These changes in their order, in as few parts as rows of the log want.
   *
   * @throws IllegalArgumentException for an id of another function, or a value that no row takes
   */
  static List<Part> encode(FunctionId function, List<LogWrite> changes) {
    ChangeCodec codec = new ChangeCodec(function);
    List<Part> parts = new ArrayList<>(1);
    Changes.Builder part = Changes.newBuilder();
    int from = 0;
    int bytes = 0;
    for (int i = 0; i < changes.size(); i++) {
      Change change = codec.encode(changes.get(i));
      if (i > from && bytes + change.getSerializedSize() > PART_BYTES) {
        parts.add(new Part(changes.subList(from, i), part.build().toByteArray()));
        part = Changes.newBuilder();
        from = i;
        bytes = 0;
      }
      part.addChanges(change);
      bytes += change.getSerializedSize();
    }
    parts.add(new Part(changes.subList(from, changes.size()), part.build().toByteArray()));
    return parts;
  }

  /** The changes in their order; times are cut to microseconds. */
  static List<LogWrite> decode(FunctionId function, byte[] bytes) {
    ChangeCodec codec = new ChangeCodec(function);
    try {
      return Changes.parseFrom(bytes).getChangesList().stream().map(codec::decode).toList();
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("a row of the write-ahead log is damaged", damaged);
    }
  }

  // ---- to bytes

  private Change encode(LogWrite change) {
    Change.Builder to = Change.newBuilder();
    switch (change) {
      case LogWrite.NewCall(var row) -> to.setNewCall(newCall(row));
      case LogWrite.NewInput(var row) -> to.setNewInput(newInput(row));
      case LogWrite.Total(var call, var total) ->
          to.setTotal(Total.newBuilder().setCall(key(call)).setTotal(total));
      case LogWrite.Cancelled(var call) ->
          to.setCancelled(Cancelled.newBuilder().setCall(key(call)));
      case LogWrite.Leased(var input, var mark) ->
          to.setLeased(Leased.newBuilder().setInput(input(input)).setLease(lease(mark)));
      case LogWrite.Spent(var input, var attempts, var lost) ->
          to.setSpent(
              Spent.newBuilder().setInput(input(input)).setAttempts(attempts).setLost(lost));
      case LogWrite.Finished(var row) -> to.setFinished(finished(row));
      case LogWrite.Cleared(var inputs, var at) -> {
        Cleared.Builder cleared = Cleared.newBuilder().setAt(Micros.of(at));
        inputs.forEach(input -> cleared.addInputs(input(input)));
        to.setCleared(cleared);
      }
    }
    return to.build();
  }

  private NewCall newCall(CallRow row) {
    return NewCall.newBuilder()
        .setCall(key(row.call()))
        .setKind(Columns.code(row.kind()))
        .setInvocation(Columns.code(row.invocation()))
        .setTotal(row.total())
        .setCancelled(row.cancelled())
        .setCreatedAt(Micros.of(row.createdAt()))
        .build();
  }

  private NewInput newInput(InputRow row) {
    NewInput.Builder to =
        NewInput.newBuilder()
            .setInput(input(row.input()))
            .setPosition(row.position())
            .setMethodName(fitting("method name", row.methodName()))
            .setPayload(payload(row.payload()))
            .setAttempts(row.attempts())
            .setLost(row.lost())
            .setCreatedAt(Micros.of(row.createdAt()));
    if (row.lease() != null) {
      to.setLease(lease(row.lease()));
    }
    return to.build();
  }

  private Finished finished(OutputRow row) {
    // Throws for a number that the tables can't order.
    long unused = Columns.outputOrder(row.number());
    Finished.Builder to =
        Finished.newBuilder()
            .setInput(input(row.input()))
            .setEpoch(row.number().epoch())
            .setNumber(row.number().number())
            .setStatus(row.status())
            .setMessage(fitting("message", row.message()))
            .setDataFormat(row.dataFormat())
            .setTask(fitting("task", row.task()))
            .setFinishedAt(Micros.of(row.createdAt()));
    if (row.result() != null) {
      to.setResult(payload(row.result()));
    }
    if (row.startedAt() != null) {
      to.setStartedAt(Micros.of(row.startedAt()));
    }
    if (row.clearedAt() != null) {
      to.setClearedAt(Micros.of(row.clearedAt()));
    }
    return to.build();
  }

  private static dev.troupe.persistence.calllog.proto.Payload payload(Payload payload) {
    var to = dev.troupe.persistence.calllog.proto.Payload.newBuilder();
    if (payload.inline() != null) {
      to.setInline(UnsafeByteOperations.unsafeWrap(payload.inline()));
    }
    if (payload.stored() != null) {
      to.setStored(payload.stored().value());
    }
    if (payload.attached() != null) {
      to.setAttached(payload.attached().value());
    }
    return to.build();
  }

  private static Lease lease(LeaseMark mark) {
    return Lease.newBuilder()
        .setEpoch(mark.token().epoch())
        .setNumber(mark.token().number())
        .setTask(mark.task().value())
        .setAt(Micros.of(mark.at()))
        .build();
  }

  private String key(CallId call) {
    return Columns.callKey(call, function);
  }

  private Input input(InputId input) {
    return Input.newBuilder()
        .setCall(Columns.callKey(input, function))
        .setIndex(Columns.index(input))
        .build();
  }

  private static String fitting(String what, String text) {
    if (text.length() > MOST_CHARACTERS || text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "a %s of %d characters, %d at most and none of them NUL"
              .formatted(what, text.length(), MOST_CHARACTERS));
    }
    return text;
  }

  // ---- from bytes

  private LogWrite decode(Change change) {
    return switch (change.getKindCase()) {
      case NEW_CALL -> new LogWrite.NewCall(callRow(change.getNewCall()));
      case NEW_INPUT -> new LogWrite.NewInput(inputRow(change.getNewInput()));
      case TOTAL ->
          new LogWrite.Total(call(change.getTotal().getCall()), change.getTotal().getTotal());
      case CANCELLED -> new LogWrite.Cancelled(call(change.getCancelled().getCall()));
      case LEASED ->
          new LogWrite.Leased(
              id(change.getLeased().getInput()), mark(change.getLeased().getLease()));
      case SPENT -> {
        Spent spent = change.getSpent();
        yield new LogWrite.Spent(id(spent.getInput()), spent.getAttempts(), spent.getLost());
      }
      case FINISHED -> new LogWrite.Finished(outputRow(change.getFinished()));
      case CLEARED -> {
        Cleared cleared = change.getCleared();
        yield new LogWrite.Cleared(
            cleared.getInputsList().stream().map(this::id).toList(),
            Micros.toInstant(cleared.getAt()));
      }
      case KIND_NOT_SET ->
          throw new IllegalStateException("a later release wrote to the write-ahead log");
    };
  }

  private CallRow callRow(NewCall from) {
    return new CallRow(
        call(from.getCall()),
        Columns.kind(from.getKind()),
        Columns.invocation(from.getInvocation()),
        from.getTotal(),
        from.getCancelled(),
        Micros.toInstant(from.getCreatedAt()));
  }

  private InputRow inputRow(NewInput from) {
    return new InputRow(
        id(from.getInput()),
        from.getPosition(),
        from.getMethodName(),
        payload(from.getPayload()),
        from.getAttempts(),
        from.getLost(),
        from.hasLease() ? mark(from.getLease()) : null,
        Micros.toInstant(from.getCreatedAt()));
  }

  private OutputRow outputRow(Finished from) {
    return new OutputRow(
        id(from.getInput()),
        new OutputNumber(from.getEpoch(), from.getNumber()),
        from.getStatus(),
        from.hasResult() ? payload(from.getResult()) : null,
        from.getMessage(),
        from.getDataFormat(),
        from.getTask(),
        from.hasStartedAt() ? Micros.toInstant(from.getStartedAt()) : null,
        Micros.toInstant(from.getFinishedAt()),
        from.hasClearedAt() ? Micros.toInstant(from.getClearedAt()) : null);
  }

  private static Payload payload(dev.troupe.persistence.calllog.proto.Payload from) {
    return new Payload(
        from.hasInline() ? from.getInline().toByteArray() : null,
        blob(from.getStored()),
        blob(from.getAttached()));
  }

  private static @Nullable BlobId blob(String id) {
    return id.isEmpty() ? null : new BlobId(id);
  }

  private static LeaseMark mark(Lease from) {
    Instant at = Micros.toInstant(from.getAt());
    return new LeaseMark(
        new LeaseToken(from.getEpoch(), from.getNumber()), new TaskId(from.getTask()), at);
  }

  private CallId call(String key) {
    return CallId.of(function, key);
  }

  private InputId id(Input from) {
    return Columns.input(function, from.getCall(), from.getIndex());
  }
}
