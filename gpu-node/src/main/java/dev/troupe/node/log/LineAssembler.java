package dev.troupe.node.log;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes lines of bytes as they come from a pipe: pure. A line keeps its end; one that grows too
 * long is given out in pieces, and no piece is cut inside a character.
 */
final class LineAssembler {

  static final int LONGEST = 16 * 1024;

  private byte[] partial = new byte[1024];
  private int length;

  /** Takes bytes; returns the lines that they complete. */
  List<String> feed(byte[] bytes, int count) {
    return feed(bytes, 0, count);
  }

  /** Takes the bytes from one place on and before another. */
  List<String> feed(byte[] bytes, int from, int count) {
    List<String> lines = new ArrayList<>();
    int start = from;
    for (int i = from; i < count; i++) {
      if (bytes[i] == '\n') {
        keep(bytes, start, i + 1 - start);
        lines.add(take(length));
        start = i + 1;
      } else if (length + i + 1 - start >= LONGEST) {
        keep(bytes, start, i + 1 - start);
        lines.add(take(wholeCharacters()));
        start = i + 1;
      }
    }
    keep(bytes, start, count - start);
    return lines;
  }

  /** What is there of a line that has not ended, up to the last whole character. */
  List<String> flush() {
    int whole = wholeCharacters();
    return whole == 0 ? List.of() : List.of(take(whole));
  }

  /** All that is there: nothing more will come. */
  List<String> end() {
    return length == 0 ? List.of() : List.of(take(length));
  }

  boolean hasPartial() {
    return length > 0;
  }

  private void keep(byte[] bytes, int start, int count) {
    if (length + count > partial.length) {
      partial = Arrays.copyOf(partial, Math.max(partial.length * 2, length + count));
    }
    System.arraycopy(bytes, start, partial, length, count);
    length += count;
  }

  private String take(int count) {
    String text = new String(partial, 0, count, StandardCharsets.UTF_8);
    System.arraycopy(partial, count, partial, 0, length - count);
    length -= count;
    return text;
  }

  /** Bytes before a character of which only the beginning is there. */
  private int wholeCharacters() {
    for (int back = 1; back <= Math.min(3, length); back++) {
      int value = partial[length - back] & 0xff;
      if (value >= 0xc0) {
        int needed = value >= 0xf0 ? 4 : value >= 0xe0 ? 3 : 2;
        return needed > back && length > back ? length - back : length;
      }
      if (value < 0x80) {
        return length;
      }
    }
    return length;
  }
}
