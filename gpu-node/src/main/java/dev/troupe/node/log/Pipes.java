package dev.troupe.node.log;

import dev.troupe.node.linux.Posix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the pipes of all containers with one thread, which sleeps in {@code epoll} until one of
 * them has something. A pipe is opened for reading and writing, so it never ends by itself: {@link
 * Reading#finish} ends it when its container is over.
 */
public final class Pipes implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Pipes.class);
  private static final int BUFFER_BYTES = 64 * 1024;
  private static final int EVENTS = 64;

  /** A pipe holds 64 KiB; with more changes in it, lines are those of the next one. */
  private static final int MARKS_LIMIT = 1_000;

  /** A started line is given out as it is once this has passed without more of it. */
  private static final int PARTIAL_LINE_MILLIS = 50;

  private static final long PARTIAL_LINE_NANOS = PARTIAL_LINE_MILLIS * 1_000_000L;

  private final int epoll;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(BUFFER_BYTES);
  private final byte[] bytes = new byte[BUFFER_BYTES];
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, Reading> readings = new HashMap<>();

  /** Those that have read enough for a while. Used on the one thread. */
  private final List<Reading> resting = new ArrayList<>();

  private final Thread thread;
  private int nextKey = 1;
  private volatile boolean closed;

  public Pipes() throws IOException {
    epoll = Posix.epollCreate();
    thread = Thread.ofPlatform().daemon().name("container-output").start(this::loop);
  }

  /** Begins to read a pipe, handing its lines to {@code lines}, which must not block for long. */
  public Reading read(Path pipe, Consumer<List<String>> lines) throws IOException {
    return read(pipe, () -> lines, Pace.unlimited());
  }

  /**
   * The same, no faster than logs are kept at: a writer that floods waits for its pipe.
   *
   * @param now who gets the lines that are read now; must be quick
   */
  public Reading readPaced(Path pipe, Supplier<Consumer<List<String>>> now) throws IOException {
    return read(pipe, now, Pace.ofLogs(System.nanoTime()));
  }

  private Reading read(Path pipe, Supplier<Consumer<List<String>>> now, Pace pace)
      throws IOException {
    int descriptor = Posix.open(pipe.toString(), Posix.O_RDWR | Posix.O_NONBLOCK | Posix.O_CLOEXEC);
    lock.lock();
    try {
      Reading reading = new Reading(nextKey++, descriptor, now, pace);
      readings.put(reading.key, reading);
      Posix.epollControl(epoll, Posix.EPOLL_CTL_ADD, descriptor, Posix.EPOLLIN, reading.key);
      return reading;
    } finally {
      lock.unlock();
    }
  }

  /** Who gets the lines up to a byte of a pipe. */
  private record Mark(long until, Consumer<List<String>> lines) {}

  /** One pipe that is being read. */
  public final class Reading {

    private final int key;
    private final int descriptor;
    private final Supplier<Consumer<List<String>>> now;
    private final Deque<Mark> marks = new ArrayDeque<>();
    private final LineAssembler assembler = new LineAssembler();
    private volatile boolean open = true;
    private final Pace pace;
    private volatile boolean held;
    private volatile boolean resting;
    private long restsUntil;

    /** Bytes that were read. */
    private long read;

    /** Who gets the line whose beginning was read. */
    private Consumer<List<String>> last;

    private long lastRead = System.nanoTime();

    /** Since when it is read again: until then nobody looked whether a line went on. */
    private volatile long readSince = lastRead;

    private Reading(int key, int descriptor, Supplier<Consumer<List<String>>> now, Pace pace) {
      this.key = key;
      this.descriptor = descriptor;
      this.now = now;
      this.last = now.get();
      this.pace = pace;
    }

    /** Leaves what comes in the pipe: its writer waits once the pipe is full. */
    public synchronized void hold() {
      interest(true, resting);
    }

    /** Reads on. */
    public synchronized void resume() {
      interest(false, resting);
    }

    private synchronized void rest(boolean rests) {
      interest(held, rests);
    }

    /** Under its own lock only: it is called by those who keep the lines, who hold theirs. */
    private void interest(boolean hold, boolean rests) {
      boolean before = held || resting;
      boolean after = hold || rests;
      if (before != after) {
        // Before it can be seen that it is read.
        readSince = System.nanoTime();
      }
      held = hold;
      resting = rests;
      if (!open || before == after) {
        return;
      }
      try {
        int events = after ? 0 : Posix.EPOLLIN;
        Posix.epollControl(epoll, Posix.EPOLL_CTL_MOD, descriptor, events, key);
      } catch (IOException failure) {
        LOG.warn("a container's output can't be {}", after ? "held back" : "resumed", failure);
      }
    }

    private synchronized void close() throws IOException {
      open = false;
      Posix.close(descriptor);
    }

    /** Reads what is left and ends; the writer is gone. */
    public void finish() {
      lock.lock();
      try {
        if (!open) {
          return;
        }
        while (readOnce()) {
          // Until the pipe is empty.
        }
        give(assembler.end());
        readings.remove(key);
        close();
      } catch (IOException failure) {
        LOG.warn("the last output of a container was lost", failure);
      } finally {
        lock.unlock();
      }
    }

    /**
     * Lines that end in what is in the pipe now go to {@code before}: what is written from now on
     * is somebody else's. Costs a look at the pipe, which mostly is empty.
     */
    public synchronized void mark(Consumer<List<String>> before) {
      try {
        int pending = open ? Posix.pending(descriptor) : 0;
        if (pending > 0 && marks.size() < MARKS_LIMIT) {
          marks.addLast(new Mark(read + pending, before));
        }
      } catch (IOException failure) {
        LOG.warn("a container's output can't be looked at", failure);
      }
    }

    private boolean readOnce() throws IOException {
      List<Mark> parts = new ArrayList<>();
      long begin;
      int count;
      synchronized (this) {
        begin = read;
        count = Posix.read(descriptor, buffer);
        if (count <= 0) {
          return false;
        }
        read += count;
        while (!marks.isEmpty() && marks.getFirst().until() <= read) {
          parts.add(marks.removeFirst());
        }
        if (parts.isEmpty() || parts.getLast().until() < read) {
          parts.add(new Mark(read, marks.isEmpty() ? now.get() : marks.getFirst().lines()));
        }
      }
      lastRead = System.nanoTime();
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, 0, count);
      int complete = 0;
      int from = 0;
      for (Mark part : parts) {
        int until = (int) (part.until() - begin);
        last = part.lines();
        List<String> texts = assembler.feed(bytes, from, until);
        complete += texts.size();
        give(texts);
        from = until;
      }
      restsUntil = pace.took(count, complete, lastRead);
      return true;
    }

    private void give(List<String> complete) {
      if (!complete.isEmpty()) {
        last.accept(complete);
      }
    }
  }

  private void loop() {
    try (Arena own = Arena.ofConfined()) {
      MemorySegment events = own.allocate((long) EVENTS * Posix.EPOLL_EVENT_SIZE, 8);
      boolean partial = false;
      while (!closed) {
        int count = Posix.epollWait(epoll, events, patience(partial));
        lock.lock();
        try {
          for (int i = 0; i < count; i++) {
            readReady(Posix.epollKey(events, i));
          }
          partial = handOutPartialLines(System.nanoTime());
          endRests(System.nanoTime());
        } finally {
          lock.unlock();
        }
      }
    } catch (IOException failure) {
      LOG.error("output of containers is no longer read", failure);
    }
  }

  private void readReady(int key) {
    Reading reading = readings.get(key);
    if (reading != null && reading.open && !reading.held && !reading.resting) {
      try {
        reading.readOnce();
        if (reading.restsUntil > reading.lastRead) {
          reading.rest(true);
          resting.add(reading);
        }
      } catch (IOException | RuntimeException failure) {
        LOG.warn("output of a container was lost", failure);
      }
    }
  }

  /** How long nothing needs to be done unless something comes, in milliseconds; -1: for ever. */
  private int patience(boolean partial) {
    long until = resting.isEmpty() ? Long.MAX_VALUE : resting.getFirst().restsUntil;
    for (Reading reading : resting) {
      until = Math.min(until, reading.restsUntil);
    }
    int rest =
        resting.isEmpty()
            ? Integer.MAX_VALUE
            : Math.clamp((until - System.nanoTime()) / 1_000_000 + 1, 1, 1_000);
    int patience = partial ? Math.min(rest, PARTIAL_LINE_MILLIS) : rest;
    return patience == Integer.MAX_VALUE ? -1 : patience;
  }

  private void endRests(long now) {
    resting.removeIf(
        reading -> {
          boolean over = now >= reading.restsUntil;
          if (over) {
            reading.rest(false);
          }
          return over;
        });
  }

  /** Returns whether some are still to be handed out. */
  private boolean handOutPartialLines(long now) {
    boolean left = false;
    for (Reading reading : readings.values()) {
      // Of one that is not read the rest of the line may be in the pipe.
      boolean silent = !reading.held && !reading.resting;
      if (silent
          && now - reading.lastRead >= PARTIAL_LINE_NANOS
          && now - reading.readSince >= PARTIAL_LINE_NANOS
          && reading.assembler.hasPartial()) {
        reading.give(reading.assembler.flush());
      }
      left |= reading.assembler.hasPartial();
    }
    return left;
  }

  @Override
  public void close() {
    closed = true;
    try {
      int wake = Posix.readableEvent();
      Posix.epollControl(epoll, Posix.EPOLL_CTL_ADD, wake, Posix.EPOLLIN, 0);
      thread.join(3_000);
      Posix.close(wake);
      Posix.close(epoll);
    } catch (IOException | InterruptedException hurry) {
      LOG.debug("closing", hurry);
    }
  }
}
