package dev.troupe.actors.image;

import dev.troupe.actors.image.ImageProtocol.Line;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The lines of an image's build, the newest of them. Numbers go on from the time of the start, so
 * that who has read the log of an earlier build, or of an entity on another process, finds all of
 * this one behind its place.
 */
final class BuildLog {

  /** Lines kept. */
  static final int LINES_LIMIT = 5_000;

  /** Characters kept. */
  static final int SIZE_LIMIT = 1 << 20;

  /** Lines kept once the build is over. */
  static final int TAIL_LINES = 500;

  // An answer must fit a message between processes, with room for wide characters.
  private static final int ANSWER_LINES = 500;
  private static final int ANSWER_SIZE = 64 << 10;

  private static final int LINE_LIMIT = 16 << 10;

  // Stream 3 is the platform's own voice.
  private static final int PLATFORM = 3;

  private final Deque<Line> lines = new ArrayDeque<>();
  private long last;
  private int size;

  BuildLog(Instant now) {
    last = now.toEpochMilli() * 1_000;
  }

  /** Adds a line of the build. */
  void add(Instant at, int stream, String text) {
    String kept = text.length() <= LINE_LIMIT ? text : text.substring(0, LINE_LIMIT) + "…";
    last++;
    lines.add(new Line(last, at, stream, kept));
    size += kept.length();
    while (lines.size() > LINES_LIMIT || size > SIZE_LIMIT) {
      forgetFirst();
    }
  }

  /** Adds a word of the platform. */
  void say(Instant at, String text) {
    add(at, PLATFORM, text + "\n");
  }

  /** The first lines behind number {@code after}, as many as fit an answer. */
  List<Line> after(long after) {
    List<Line> answer = new ArrayList<>();
    int answerSize = 0;
    for (Line line : lines) {
      if (line.number() <= after) {
        continue;
      }
      answerSize += line.text().length();
      if (answer.size() == ANSWER_LINES || (answerSize > ANSWER_SIZE && !answer.isEmpty())) {
        break;
      }
      answer.add(line);
    }
    return answer;
  }

  /** Whether there is nothing behind number {@code after}. */
  boolean isReadTo(long after) {
    return after >= last || lines.isEmpty();
  }

  /** Forgets all: another build begins. */
  void clear() {
    lines.clear();
    size = 0;
  }

  /** Forgets all but the end: the build is over. */
  void keepTail() {
    while (lines.size() > TAIL_LINES) {
      forgetFirst();
    }
  }

  private void forgetFirst() {
    size -= lines.remove().text().length();
  }
}
