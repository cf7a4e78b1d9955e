package dev.troupe.persistence.calllog;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What one commit adds to a log file: whole or not there. Little-endian: the length of the body,
 * the CRC-32C of the body, then the body: the frame's number, and for each row the key of its
 * owner, a length, and that many bytes of changes.
 *
 * @param number rises by one from frame to frame
 */
record LogFrame(long number, List<Row> rows) {

  /**
   * What the commit changed of one function.
   *
   * @param owner the key of the function's owner
   * @param changes see {@link ChangeCodec}
   */
  record Row(long owner, byte[] changes) {}

  private static final int HEAD = 2 * Integer.BYTES;
  private static final int ROW_HEAD = Long.BYTES + Integer.BYTES;

  /** Bytes of the whole frame. */
  int size() {
    int size = HEAD + Long.BYTES;
    for (Row row : rows) {
      size = Math.addExact(size, ROW_HEAD + row.changes().length);
    }
    return size;
  }

  /** Writes the frame. */
  void put(ByteBuffer to) {
    to.order(ByteOrder.LITTLE_ENDIAN);
    int start = to.position();
    to.putInt(size() - HEAD).putInt(0).putLong(number);
    for (Row row : rows) {
      to.putLong(row.owner()).putInt(row.changes().length).put(row.changes());
    }
    to.putInt(start + Integer.BYTES, checksum(to, start + HEAD, to.position()));
  }

  /** Reads the next frame, and moves on behind it; null, and stays, where no whole one is. */
  static @Nullable LogFrame next(ByteBuffer from) {
    from.order(ByteOrder.LITTLE_ENDIAN);
    int start = from.position();
    if (from.remaining() < HEAD + Long.BYTES) {
      return null;
    }
    int length = from.getInt(start);
    if (length < Long.BYTES || length > from.remaining() - HEAD) {
      return null;
    }
    int end = start + HEAD + length;
    if (from.getInt(start + Integer.BYTES) != checksum(from, start + HEAD, end)) {
      return null;
    }
    long number = from.getLong(start + HEAD);
    List<Row> rows = new ArrayList<>();
    from.position(start + HEAD + Long.BYTES);
    while (from.position() < end) {
      long owner = from.getLong();
      byte[] changes = new byte[from.getInt()];
      from.get(changes);
      rows.add(new Row(owner, changes));
    }
    return new LogFrame(number, rows);
  }

  private static int checksum(ByteBuffer bytes, int from, int to) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes.slice(from, to - from));
    return (int) checksum.getValue();
  }
}
