package dev.troupe.node.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The system calls that Java has no class for, straight from the C library. Each throws {@link
 * IOException} with the kernel's own word for what went wrong.
 */
@SuppressWarnings("restricted")
public final class Posix {

  public static final int O_RDWR = 2;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_CLOEXEC = 0x80000;
  public static final int MNT_DETACH = 2;
  public static final int EPOLLIN = 1;
  public static final int EPOLL_CTL_ADD = 1;
  public static final int EPOLL_CTL_DEL = 2;
  public static final int EPOLL_CTL_MOD = 3;

  /** {@code struct epoll_event}, packed on x86-64 as the kernel has it. */
  public static final int EPOLL_EVENT_SIZE = isX86() ? 12 : 16;

  private static final int EPOLL_DATA_OFFSET = isX86() ? 4 : 8;
  private static final int EAGAIN = 11;
  private static final int EINTR = 4;
  private static final long FIONREAD = 0x541B;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
  private static final StructLayout ERROR_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      ERROR_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle MOUNT =
      function("mount", FunctionDescriptor.of(INT, POINTER, POINTER, POINTER, LONG, POINTER));
  private static final MethodHandle UMOUNT2 =
      function("umount2", FunctionDescriptor.of(INT, POINTER, INT));
  private static final MethodHandle MKFIFO =
      function("mkfifo", FunctionDescriptor.of(INT, POINTER, INT));
  private static final MethodHandle OPEN =
      function("open", FunctionDescriptor.of(INT, POINTER, INT), Linker.Option.firstVariadicArg(2));
  private static final MethodHandle READ =
      function("read", FunctionDescriptor.of(LONG, INT, POINTER, LONG));
  private static final MethodHandle IOCTL =
      function(
          "ioctl",
          FunctionDescriptor.of(INT, INT, LONG, POINTER),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE = function("close", FunctionDescriptor.of(INT, INT));
  private static final MethodHandle SYNCFS = function("syncfs", FunctionDescriptor.of(INT, INT));
  private static final MethodHandle EPOLL_CREATE =
      function("epoll_create1", FunctionDescriptor.of(INT, INT));
  private static final MethodHandle EPOLL_CTL =
      function("epoll_ctl", FunctionDescriptor.of(INT, INT, INT, INT, POINTER));
  private static final MethodHandle EPOLL_WAIT =
      function("epoll_wait", FunctionDescriptor.of(INT, INT, POINTER, INT, INT));
  private static final MethodHandle EVENTFD =
      function("eventfd", FunctionDescriptor.of(INT, INT, INT));
  private static final MethodHandle STRERROR =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("strerror"),
              FunctionDescriptor.of(ValueLayout.ADDRESS, INT));

  /** Mounts a filesystem; {@code options} is at most one page, the kernel's own limit. */
  public static void mount(String source, String target, String type, String options)
      throws IOException {
    if (options.length() > 4095) {
      throw new IOException("mount options of " + target + " are longer than a page");
    }
    call(
        "mount " + target,
        (arena, state) ->
            (int)
                MOUNT.invokeExact(
                    state,
                    arena.allocateFrom(source),
                    arena.allocateFrom(target),
                    arena.allocateFrom(type),
                    0L,
                    arena.allocateFrom(options)));
  }

  /** Takes a mount out of the tree at once; what still uses it keeps it until it closes. */
  public static void unmount(String target) throws IOException {
    call(
        "unmount " + target,
        (arena, state) -> (int) UMOUNT2.invokeExact(state, arena.allocateFrom(target), MNT_DETACH));
  }

  /** Makes a named pipe that only its owner reads and writes. */
  public static void makeFifo(String path) throws IOException {
    call(
        "mkfifo " + path,
        (arena, state) -> (int) MKFIFO.invokeExact(state, arena.allocateFrom(path), 0600));
  }

  /** Opens a file and returns its descriptor. */
  public static int open(String path, int flags) throws IOException {
    return call(
        "open " + path,
        (arena, state) -> (int) OPEN.invokeExact(state, arena.allocateFrom(path), flags));
  }

  /**
   * Reads what is there: the number of bytes, 0 at the end of the file, -1 where nothing is there
   * yet.
   */
  public static int read(int descriptor, MemorySegment buffer) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(ERROR_STATE);
      long count = (long) READ.invokeExact(state, descriptor, buffer, buffer.byteSize());
      if (count >= 0) {
        return (int) count;
      }
      int error = (int) ERRNO.get(state, 0L);
      if (error == EAGAIN || error == EINTR) {
        return -1;
      }
      throw new IOException("read: " + message(error));
    } catch (IOException failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Bytes that a pipe holds. */
  public static int pending(int descriptor) throws IOException {
    int[] pending = new int[1];
    call(
        "ioctl FIONREAD",
        (arena, state) -> {
          MemorySegment count = arena.allocate(INT);
          int result = (int) IOCTL.invokeExact(state, descriptor, FIONREAD, count);
          pending[0] = count.get(INT, 0);
          return result;
        });
    return pending[0];
  }

  /** Closes a descriptor. */
  public static void close(int descriptor) throws IOException {
    call("close", (_, state) -> (int) CLOSE.invokeExact(state, descriptor));
  }

  /** Writes to disk all that the filesystem of an open file still holds in memory. */
  public static void syncFilesystem(int descriptor) throws IOException {
    call("syncfs", (_, state) -> (int) SYNCFS.invokeExact(state, descriptor));
  }

  /** A new epoll instance. */
  public static int epollCreate() throws IOException {
    return call("epoll_create1", (_, state) -> (int) EPOLL_CREATE.invokeExact(state, O_CLOEXEC));
  }

  /** A descriptor that is readable from the start: it wakes who waits for it. */
  public static int readableEvent() throws IOException {
    return call("eventfd", (_, state) -> (int) EVENTFD.invokeExact(state, 1, O_CLOEXEC));
  }

  /** Adds, changes or removes a descriptor; {@code key} comes back with its events. */
  public static void epollControl(int epoll, int operation, int descriptor, int events, int key)
      throws IOException {
    call(
        "epoll_ctl",
        (arena, state) -> {
          MemorySegment event = arena.allocate(EPOLL_EVENT_SIZE, 8);
          event.set(INT, 0, events);
          event.set(ValueLayout.JAVA_LONG_UNALIGNED, EPOLL_DATA_OFFSET, key);
          return (int) EPOLL_CTL.invokeExact(state, epoll, operation, descriptor, event);
        });
  }

  /** Waits for events; the number of them, 0 once {@code timeoutMillis} (-1: for ever) passed. */
  public static int epollWait(int epoll, MemorySegment events, int timeoutMillis)
      throws IOException {
    int capacity = (int) (events.byteSize() / EPOLL_EVENT_SIZE);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(ERROR_STATE);
      int count = (int) EPOLL_WAIT.invokeExact(state, epoll, events, capacity, timeoutMillis);
      if (count < 0 && (int) ERRNO.get(state, 0L) == EINTR) {
        return 0;
      }
      if (count < 0) {
        throw new IOException("epoll_wait: " + message((int) ERRNO.get(state, 0L)));
      }
      return count;
    } catch (IOException failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** The key that {@link #epollControl} was given for the event at {@code index}. */
  public static int epollKey(MemorySegment events, int index) {
    return (int)
        events.get(
            ValueLayout.JAVA_LONG_UNALIGNED, (long) index * EPOLL_EVENT_SIZE + EPOLL_DATA_OFFSET);
  }

  /** A function of the C library, called with somewhere to leave {@code errno}. */
  @FunctionalInterface
  interface SystemCall {
    int invoke(Arena arena, MemorySegment state) throws Throwable;
  }

  /** Its result; a negative one is an error. */
  static int call(String what, SystemCall systemCall) throws IOException {
    return call(what, systemCall, false);
  }

  /** The same, begun again when a signal cut it short. */
  static int uninterrupted(String what, SystemCall systemCall) throws IOException {
    return call(what, systemCall, true);
  }

  private static int call(String what, SystemCall systemCall, boolean again) throws IOException {
    int result;
    int error;
    do {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(ERROR_STATE);
        result = systemCall.invoke(arena, state);
        error = (int) ERRNO.get(state, 0L);
      } catch (Throwable impossible) {
        throw new IllegalStateException(impossible);
      }
    } while (again && result < 0 && error == EINTR);
    if (result < 0) {
      throw new IOException(what + ": " + message(error));
    }
    return result;
  }

  /** The kernel's word for an error. */
  static String message(int error) {
    try {
      MemorySegment text = (MemorySegment) STRERROR.invokeExact(error);
      return text.reinterpret(256).getString(0);
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** A function of the C library, with what it leaves in {@code errno} as its first argument. */
  static MethodHandle function(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    Linker.Option[] all = java.util.Arrays.copyOf(options, options.length + 1);
    all[options.length] = Linker.Option.captureCallState("errno");
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, all);
  }

  private static boolean isX86() {
    return System.getProperty("os.arch").equals("amd64");
  }

  private Posix() {}
}
