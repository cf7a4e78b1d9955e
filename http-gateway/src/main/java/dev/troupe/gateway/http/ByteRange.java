package dev.troupe.gateway.http;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What of a blob is asked for. */
sealed interface ByteRange {

  /** All of it. */
  record Whole() implements ByteRange {}

  /** Bytes {@code first} to {@code last}, both included. */
  record Part(long first, long last) implements ByteRange {
    long length() {
      return last - first + 1;
    }

    String header(long size) {
      return "bytes %d-%d/%d".formatted(first, last, size);
    }
  }

  /** A part that the blob does not have. */
  record None() implements ByteRange {}

  /**
   * Reads a Range header. Several ranges, or other units, are answered with the whole: allowed by
   * HTTP, and no client asks for them.
   */
  static ByteRange of(@Nullable String header, long size) {
    Matcher single =
        Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})").matcher(header == null ? "" : header);
    if (!single.matches() || (single.group(1).isEmpty() && single.group(2).isEmpty())) {
      return new Whole();
    }
    if (single.group(1).isEmpty()) {
      long length = Math.min(Long.parseLong(single.group(2)), size);
      return length == 0 ? new None() : new Part(size - length, size - 1);
    }
    long first = Long.parseLong(single.group(1));
    long last =
        single.group(2).isEmpty() ? size - 1 : Math.min(Long.parseLong(single.group(2)), size - 1);
    return first > last ? new None() : new Part(first, last);
  }
}
