package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.ChangeCodec.Part;
import dev.troupe.persistence.calllog.LogSession.Owner;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The rows that a group adds to the write-ahead log: what its writers changed, put together by
 * function, in their order.
 */
final class GroupRows {

  /** H2 takes 1 MiB of bytes into a column, and a part is small beside the rest. */
  private static final int ROW_BYTES = 400_000;

  /** A row that was added. */
  record Added(Owner owner, FunctionId function, long row, List<LogWrite> changes, long bytes) {}

  private static final class Row {
    final List<Part> parts = new ArrayList<>();
    int bytes;

    void add(Part part) {
      parts.add(part);
      bytes += part.bytes().length;
    }

    byte[] joined() {
      if (parts.size() == 1) {
        return parts.getFirst().bytes();
      }
      byte[] all = new byte[bytes];
      int at = 0;
      for (Part part : parts) {
        System.arraycopy(part.bytes(), 0, all, at, part.bytes().length);
        at += part.bytes().length;
      }
      return all;
    }

    List<LogWrite> changes() {
      return parts.stream().flatMap(part -> part.changes().stream()).toList();
    }
  }

  private record OfFunction(Owner owner, List<Row> rows) {}

  private final Map<FunctionId, OfFunction> functions = new LinkedHashMap<>();

  /** Adds what one writer changed. */
  void add(Owner owner, FunctionId function, List<Part> parts) {
    List<Row> rows =
        functions.computeIfAbsent(function, _ -> new OfFunction(owner, new ArrayList<>())).rows();
    for (Part part : parts) {
      if (rows.isEmpty() || rows.getLast().bytes + part.bytes().length > ROW_BYTES) {
        rows.add(new Row());
      }
      rows.getLast().add(part);
    }
  }

  /** A row that is to be added to a log file. */
  record FileRow(Owner owner, FunctionId function, List<LogWrite> changes, byte[] bytes) {}

  /**
   * One row a function, however long, in the order in which their functions came: a frame's number
   * says of all of a function's changes at once that they are in the tables.
   */
  List<FileRow> forFile() {
    List<FileRow> all = new ArrayList<>();
    functions.forEach(
        (function, of) -> {
          Row whole = new Row();
          of.rows().forEach(row -> row.parts.forEach(whole::add));
          all.add(new FileRow(of.owner(), function, whole.changes(), whole.joined()));
        });
    return all;
  }

  /** Writes the rows, and which blobs they own. */
  List<Added> write(LogSession session) throws SQLException {
    List<Added> added = new ArrayList<>();
    for (Map.Entry<FunctionId, OfFunction> entry : functions.entrySet()) {
      Owner owner = entry.getValue().owner();
      for (Row row : entry.getValue().rows()) {
        List<LogWrite> changes = row.changes();
        long number = session.addChanges(owner.id(), row.joined());
        session.addBlobs(owner.id(), entry.getKey(), changes);
        added.add(new Added(owner, entry.getKey(), number, changes, row.bytes));
      }
    }
    return added;
  }
}
