package dev.troupe.node.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Processes that come to this one when the program that made them ends, as a container's first
 * process does when its runtime has made it. Their end can be awaited as that of a child. What is
 * left behind by others, like what a killed program had started, is reaped after a while.
 */
public final class Children {

  private static final Logger LOG = LoggerFactory.getLogger(Children.class);
  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int WNOHANG = 1;
  private static final int SIGNAL_BASE = 128;

  /** A dead child that somebody awaits is reaped within milliseconds. */
  private static final long STRANGER_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** Of a thread that only waits. */
  private static final long STACK_BYTES = 128 * 1024;

  private static final MethodHandle PRCTL =
      Posix.function(
          "prctl",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG),
          Linker.Option.firstVariadicArg(1));

  private static final MethodHandle WAITPID =
      Posix.function(
          "waitpid",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT));

  private Set<ProcessHandle> dead = new HashSet<>();
  private long looked;

  private Children() {
    this.looked = System.nanoTime();
  }

  /** From now on processes below this one that lose their parent are this one's. */
  public static Children adopt() throws IOException {
    Posix.call(
        "prctl",
        (_, state) -> (int) PRCTL.invokeExact(state, PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L));
    return new Children();
  }

  /**
   * The exit code of a child, once it has ended: 128 and the number of the signal that ended it, as
   * shells have it. To be asked for once.
   */
  public CompletableFuture<Integer> end(int process) {
    CompletableFuture<Integer> end = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("end-of-" + process)
        .stackSize(STACK_BYTES)
        .start(
            () -> {
              try {
                end.complete(await(process, 0));
              } catch (IOException | RuntimeException failure) {
                end.completeExceptionally(failure);
              }
            });
    return end;
  }

  private static int await(int process, int options) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
      Posix.uninterrupted(
          "waitpid " + process,
          (_, state) -> (int) WAITPID.invokeExact(state, process, status, options));
      int word = status.get(ValueLayout.JAVA_INT, 0);
      int signal = word & 0x7F;
      return signal == 0 ? (word >> 8) & 0xFF : SIGNAL_BASE + signal;
    }
  }

  /**
   * Reaps dead children that nobody awaits: those that were dead a minute ago. Does something once
   * in a minute at most.
   */
  public synchronized void reapStrangers() {
    long now = System.nanoTime();
    if (now - looked >= STRANGER_NANOS) {
      looked = now;
      dead = reap(dead);
    }
  }

  /** Reaps those of them that are dead still; returns who is dead now. */
  static Set<ProcessHandle> reap(Set<ProcessHandle> deadBefore) {
    Set<ProcessHandle> deadNow =
        ProcessHandle.current().children().filter(Children::isDead).collect(Collectors.toSet());
    for (ProcessHandle stranger : deadNow) {
      if (deadBefore.contains(stranger)) {
        try {
          await((int) stranger.pid(), WNOHANG);
        } catch (IOException reapedMeanwhile) {
          LOG.debug("{}", reapedMeanwhile.getMessage());
        }
      }
    }
    return deadNow;
  }

  private static boolean isDead(ProcessHandle child) {
    try {
      String line = Files.readString(Path.of("/proc", String.valueOf(child.pid()), "stat"));
      // The name before it is in parentheses, and may have some of its own.
      return line.charAt(line.lastIndexOf(')') + 2) == 'Z';
    } catch (IOException reaped) {
      return false;
    }
  }
}
