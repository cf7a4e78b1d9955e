package dev.troupe.node.linux;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * An open folder, and what is done to the names in it. A name is one component, and no call follows
 * a link that has this name; {@link #enter} resolves a path as if the folder were the root of all,
 * so that no link and no {@code ..} leads out of it. Names are UTF-8 whatever the locale is, which
 * those of {@link Path} are not.
 */
@SuppressWarnings("restricted")
public final class FolderHandle implements AutoCloseable {

  public static final int TYPE_MASK = 0170000;
  public static final int FOLDER = 0040000;
  public static final int REGULAR = 0100000;
  public static final int SYMLINK = 0120000;
  public static final int CHARACTER_DEVICE = 0020000;
  public static final int PIPE = 0010000;

  private static final boolean X86 = System.getProperty("os.arch").equals("amd64");
  private static final int O_WRONLY = 1;
  private static final int O_CREAT = 0x40;
  private static final int O_EXCL = 0x80;
  private static final int O_DIRECTORY = X86 ? 0x10000 : 0x4000;
  private static final int O_NOFOLLOW = X86 ? 0x20000 : 0x8000;
  private static final int O_PATH = 0x200000;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_SIZE = 256;
  private static final long SYS_OPENAT2 = 437;
  private static final long RESOLVE_IN_ROOT_NO_MAGICLINKS = 0x10 | 0x02;
  private static final int EAGAIN = 11;
  private static final int ENOENT = 2;
  private static final int ENOTDIR = 20;
  private static final int ELOOP = 40;
  private static final int ATTEMPTS = 100;

  /** The kernel's own limit for values and lists of attributes, and more than that of paths. */
  private static final long LONGEST_VALUE = 64 << 10;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
  private static final StructLayout ERROR_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      ERROR_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle SYSCALL =
      Posix.function(
          "syscall",
          FunctionDescriptor.of(LONG, LONG, INT, POINTER, POINTER, LONG),
          Linker.Option.firstVariadicArg(1));
  private static final MethodHandle OPENAT =
      Posix.function(
          "openat",
          FunctionDescriptor.of(INT, INT, POINTER, INT, INT),
          Linker.Option.firstVariadicArg(3));
  private static final MethodHandle WRITE =
      Posix.function("write", FunctionDescriptor.of(LONG, INT, POINTER, LONG));
  private static final MethodHandle MKDIRAT =
      Posix.function("mkdirat", FunctionDescriptor.of(INT, INT, POINTER, INT));
  private static final MethodHandle MKNODAT =
      Posix.function("mknodat", FunctionDescriptor.of(INT, INT, POINTER, INT, LONG));
  private static final MethodHandle SYMLINKAT =
      Posix.function("symlinkat", FunctionDescriptor.of(INT, POINTER, INT, POINTER));
  private static final MethodHandle LINKAT =
      Posix.function("linkat", FunctionDescriptor.of(INT, INT, POINTER, INT, POINTER, INT));
  private static final MethodHandle UNLINKAT =
      Posix.function("unlinkat", FunctionDescriptor.of(INT, INT, POINTER, INT));
  private static final MethodHandle STATX =
      Posix.function("statx", FunctionDescriptor.of(INT, INT, POINTER, INT, INT, POINTER));
  private static final MethodHandle FCHOWNAT =
      Posix.function("fchownat", FunctionDescriptor.of(INT, INT, POINTER, INT, INT, INT));
  private static final MethodHandle FCHMODAT =
      Posix.function("fchmodat", FunctionDescriptor.of(INT, INT, POINTER, INT, INT));
  private static final MethodHandle UTIMENSAT =
      Posix.function("utimensat", FunctionDescriptor.of(INT, INT, POINTER, POINTER, INT));
  private static final MethodHandle READLINKAT =
      Posix.function("readlinkat", FunctionDescriptor.of(LONG, INT, POINTER, POINTER, LONG));
  private static final MethodHandle LLISTXATTR =
      Posix.function("llistxattr", FunctionDescriptor.of(LONG, POINTER, POINTER, LONG));
  private static final MethodHandle LGETXATTR =
      Posix.function("lgetxattr", FunctionDescriptor.of(LONG, POINTER, POINTER, POINTER, LONG));
  private static final MethodHandle LSETXATTR =
      Posix.function("lsetxattr", FunctionDescriptor.of(INT, POINTER, POINTER, POINTER, LONG, INT));

  /** A file that is being written. */
  public static final class NewFile implements AutoCloseable {
    private final int descriptor;
    private final String name;

    private NewFile(int descriptor, String name) {
      this.descriptor = descriptor;
      this.name = name;
    }

    /** Writes the first {@code count} bytes. */
    public void write(byte[] bytes, int count) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment buffer = arena.allocate(Math.max(count, 1));
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, count);
        int done = 0;
        while (done < count) {
          MemorySegment rest = buffer.asSlice(done, count - done);
          done +=
              (int)
                  check(
                      "write " + name,
                      invoke(
                          (_, state) ->
                              (long) WRITE.invokeExact(state, descriptor, rest, rest.byteSize())));
        }
      }
    }

    @Override
    public void close() throws IOException {
      Posix.close(descriptor);
    }
  }

  private final int descriptor;

  private FolderHandle(int descriptor) {
    this.descriptor = descriptor;
  }

  /** Opens a folder of this machine. */
  public static FolderHandle open(Path folder) throws IOException {
    return new FolderHandle(Posix.open(folder.toString(), O_PATH | O_DIRECTORY | Posix.O_CLOEXEC));
  }

  /**
   * The folder at a path below this one; empty where none is there. Links on the way count as they
   * would after a change of root to here.
   */
  public Optional<FolderHandle> enter(String path) throws IOException {
    long result = -EAGAIN;
    // The kernel asks for another try where something was renamed meanwhile.
    for (int attempt = 0; result == -EAGAIN && attempt < ATTEMPTS; attempt++) {
      result =
          invoke(
              (arena, state) -> {
                MemorySegment how = arena.allocate(24, 8);
                how.set(LONG, 0, O_PATH | O_DIRECTORY | Posix.O_CLOEXEC);
                how.set(LONG, 16, RESOLVE_IN_ROOT_NO_MAGICLINKS);
                return (long)
                    SYSCALL.invokeExact(
                        state,
                        SYS_OPENAT2,
                        descriptor,
                        text(arena, path.isEmpty() ? "." : path),
                        how,
                        24L);
              });
    }
    if (result == -ENOENT || result == -ENOTDIR || result == -ELOOP) {
      return Optional.empty();
    }
    return Optional.of(new FolderHandle((int) check("open the folder " + path, result)));
  }

  /** What has this name; empty where nothing has. */
  public Optional<FileStatus> status(String name) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(STATX_SIZE, 8);
      long result =
          invoke(
              (inner, state) ->
                  (int)
                      STATX.invokeExact(
                          state,
                          descriptor,
                          text(inner, name),
                          AT_SYMLINK_NOFOLLOW,
                          STATX_BASIC_STATS,
                          status));
      if (result == -ENOENT) {
        return Optional.empty();
      }
      check("look at " + name, result);
      return Optional.of(
          new FileStatus(
              status.get(ValueLayout.JAVA_SHORT, 28) & 0xffff,
              status.get(INT, 20),
              status.get(INT, 24),
              status.get(LONG, 40),
              status.get(LONG, 112),
              status.get(INT, 16),
              status.get(LONG, 32),
              status.get(INT, 128),
              status.get(INT, 132)));
    }
  }

  /** Makes a folder. */
  public void makeFolder(String name, int rights) throws IOException {
    change(
        "make the folder " + name,
        (arena, state) -> (int) MKDIRAT.invokeExact(state, descriptor, text(arena, name), rights));
  }

  /** Makes a device or a named pipe. */
  public void makeNode(String name, int mode, int major, int minor) throws IOException {
    long device = ((long) (major & 0xfff) << 8) | (minor & 0xff) | ((long) (minor & ~0xff) << 12);
    change(
        "make the device " + name,
        (arena, state) ->
            (int) MKNODAT.invokeExact(state, descriptor, text(arena, name), mode, device));
  }

  /** Makes what an overlay takes for the mark of a name that was deleted. */
  public void makeWhiteout(String name) throws IOException {
    makeNode(name, CHARACTER_DEVICE, 0, 0);
  }

  /** Makes a symbolic link. */
  public void makeSymlink(String name, String target) throws IOException {
    change(
        "make the link " + name,
        (arena, state) ->
            (int) SYMLINKAT.invokeExact(state, text(arena, target), descriptor, text(arena, name)));
  }

  /** Gives what has a name in another folder, or here, one more name here. */
  public void makeHardLink(String name, FolderHandle from, String fromName) throws IOException {
    change(
        "link " + name,
        (arena, state) ->
            (int)
                LINKAT.invokeExact(
                    state,
                    from.descriptor,
                    text(arena, fromName),
                    descriptor,
                    text(arena, name),
                    0));
  }

  /** Makes a file, which must not be there. */
  public NewFile makeFile(String name, int rights) throws IOException {
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | Posix.O_CLOEXEC;
    int file =
        change(
            "make the file " + name,
            (arena, state) ->
                (int) OPENAT.invokeExact(state, descriptor, text(arena, name), flags, rights));
    return new NewFile(file, name);
  }

  /** Removes what has this name, a folder with all in it. */
  public void remove(String name) throws IOException {
    boolean isFolder = status(name).filter(FileStatus::isFolder).isPresent();
    if (isFolder) {
      int child =
          change(
              "open the folder " + name,
              (arena, state) ->
                  (int)
                      OPENAT.invokeExact(
                          state,
                          descriptor,
                          text(arena, name),
                          O_PATH | O_DIRECTORY | O_NOFOLLOW | Posix.O_CLOEXEC,
                          0));
      try (DirectoryStream<Path> entries =
          Files.newDirectoryStream(Path.of("/proc/self/fd/" + child))) {
        for (Path entry : entries) {
          FileTree.delete(entry);
        }
      } finally {
        Posix.close(child);
      }
    }
    change(
        "remove " + name,
        (arena, state) ->
            (int)
                UNLINKAT.invokeExact(
                    state, descriptor, text(arena, name), isFolder ? AT_REMOVEDIR : 0));
  }

  /** Sets owner and group, of a link itself. The kernel takes setuid and capabilities away. */
  public void setOwner(String name, int owner, int group) throws IOException {
    change(
        "give away " + name,
        (arena, state) ->
            (int)
                FCHOWNAT.invokeExact(
                    state, descriptor, text(arena, name), owner, group, AT_SYMLINK_NOFOLLOW));
  }

  /** Sets the twelve bits of rights; the name must be known to be no link. */
  public void setRights(String name, int rights) throws IOException {
    change(
        "set the rights of " + name,
        (arena, state) ->
            (int) FCHMODAT.invokeExact(state, descriptor, text(arena, name), rights, 0));
  }

  /** Sets the time of the last change, of a link itself. */
  public void setModified(String name, long seconds, int nanos) throws IOException {
    change(
        "set the time of " + name,
        (arena, state) -> {
          MemorySegment times = arena.allocate(32, 8);
          times.set(LONG, 0, seconds);
          times.set(LONG, 8, nanos);
          times.set(LONG, 16, seconds);
          times.set(LONG, 24, nanos);
          return (int)
              UTIMENSAT.invokeExact(
                  state, descriptor, text(arena, name), times, AT_SYMLINK_NOFOLLOW);
        });
  }

  /** Sets an extended attribute, of a link itself. */
  public void setAttribute(String name, String attribute, byte[] value) throws IOException {
    change(
        "set the attribute %s of %s".formatted(attribute, name),
        (arena, state) ->
            (int)
                LSETXATTR.invokeExact(
                    state,
                    text(arena, path(name)),
                    text(arena, attribute),
                    arena.allocateFrom(ValueLayout.JAVA_BYTE, value),
                    (long) value.length,
                    0));
  }

  /** The extended attributes of what has this name, by their names. */
  public Map<String, byte[]> attributes(String name) throws IOException {
    byte[] names =
        bytes(
            "list the attributes of " + name,
            (arena, state, to) ->
                (long) LLISTXATTR.invokeExact(state, text(arena, path(name)), to, to.byteSize()));
    Map<String, byte[]> attributes = new TreeMap<>();
    for (String attribute : new String(names, StandardCharsets.UTF_8).split("\0", -1)) {
      if (!attribute.isEmpty()) {
        attributes.put(
            attribute,
            bytes(
                "read the attribute %s of %s".formatted(attribute, name),
                (arena, state, to) ->
                    (long)
                        LGETXATTR.invokeExact(
                            state,
                            text(arena, path(name)),
                            text(arena, attribute),
                            to,
                            to.byteSize())));
      }
    }
    return attributes;
  }

  /** Where a link leads. */
  public String linkTarget(String name) throws IOException {
    return new String(
        bytes(
            "read the link " + name,
            (arena, state, to) ->
                (long)
                    READLINKAT.invokeExact(
                        state, descriptor, text(arena, name), to, to.byteSize())),
        StandardCharsets.UTF_8);
  }

  /** Opens a file for reading. */
  public InputStream read(String name) throws IOException {
    int file =
        change(
            "open the file " + name,
            (arena, state) ->
                (int)
                    OPENAT.invokeExact(
                        state, descriptor, text(arena, name), O_NOFOLLOW | Posix.O_CLOEXEC, 0));
    try {
      return Files.newInputStream(Path.of("/proc/self/fd/" + file));
    } finally {
      Posix.close(file);
    }
  }

  /** All names, in order. */
  public List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of(path("")))) {
      for (Path entry : entries) {
        // A path's text follows the locale; its URI has the very bytes.
        String uri = entry.toUri().getRawPath().replaceFirst("/$", "");
        String name = uri.substring(uri.lastIndexOf('/') + 1);
        names.add(URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8));
      }
    }
    names.sort(null);
    return names;
  }

  private String path(String name) {
    return "/proc/self/fd/" + descriptor + "/" + name;
  }

  @Override
  public void close() throws IOException {
    Posix.close(descriptor);
  }

  private static MemorySegment text(Arena arena, String text) {
    return arena.allocateFrom(text, StandardCharsets.UTF_8);
  }

  @FunctionalInterface
  private interface SystemCall {
    long invoke(Arena arena, MemorySegment state) throws Throwable;
  }

  @FunctionalInterface
  private interface Reading {
    long invoke(Arena arena, MemorySegment state, MemorySegment to) throws Throwable;
  }

  private static byte[] bytes(String what, Reading reading) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = arena.allocate(LONGEST_VALUE);
      long count = check(what, invoke((inner, state) -> reading.invoke(inner, state, to)));
      return to.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static int change(String what, SystemCall systemCall) throws IOException {
    return (int) check(what, invoke(systemCall));
  }

  /** The call's result, or the negative of its error. */
  private static long invoke(SystemCall systemCall) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(ERROR_STATE);
      long result = systemCall.invoke(arena, state);
      return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static long check(String what, long result) throws IOException {
    if (result < 0) {
      throw new IOException(what + ": " + Posix.message((int) -result));
    }
    return result;
  }
}
