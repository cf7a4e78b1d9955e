package dev.troupe.node.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs containers on this machine. One implementation a runtime; each passes the same {@code
 * ContainerDriverContract}.
 *
 * <pre>
 *   prepare ──▶ specialise ──▶ start ──▶ await ──▶ destroy
 *                                └── stop ──┘
 * </pre>
 *
 * An <em>image</em> is a list of read-only folders, shared by all. A <em>bundle</em> is one
 * container's root filesystem, pipes and configuration. A <em>container</em> is a started bundle,
 * known by its id until destroyed. Every method may be repeated for an id without harm, blocks its
 * caller and is called on a virtual thread. All throw {@link IOException} when the runtime or the
 * filesystem fails; the container is then still to be destroyed.
 */
public interface ContainerDriver extends AutoCloseable {

  /** One sentence for the log at start: the runtime, and how far it keeps containers apart. */
  String describe();

  /** The containers left by an earlier run of this agent; asked before anything is started. */
  List<ContainerId> recover() throws IOException;

  /**
   * Readies folders and pipes before the function is known, so that a stock of them can wait.
   *
   * @param layers the image, lowest first
   */
  Bundle prepare(ContainerId id, List<Path> layers) throws IOException;

  /** Gives a prepared bundle its function: what to run, on what further layers, within what. */
  void specialise(Bundle bundle, ContainerSpec spec) throws IOException;

  /** Returns when the process exists, not when it is ready to serve. */
  void start(Bundle bundle) throws IOException;

  /** Waits for the container's end; at once if it has ended. */
  Exit await(ContainerId id) throws IOException, InterruptedException;

  /**
   * SIGINT, then SIGKILL once {@code grace} has passed; SIGKILL at once when it is zero. SIGTERM is
   * never sent, since it would skip the runner's exit hooks. Does not wait for the end.
   */
  void stop(ContainerId id, Duration grace) throws IOException;

  /** Ends the container if it runs and forgets it; leaves nothing on the machine. */
  void destroy(ContainerId id) throws IOException;

  @Override
  void close();

  /** A container's name on this machine: of a task, or of a build step. */
  record ContainerId(String value) {

    public ContainerId {
      if (!value.matches("[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")) {
        throw new IllegalArgumentException("'" + value + "' is no name for a container");
      }
    }
  }

  /**
   * A container to be.
   *
   * @param layers the image's, lowest first
   * @param upper where the container's own changes go
   * @param standardOutput a named pipe, as {@code standardError}
   */
  record Bundle(
      ContainerId id,
      List<Path> layers,
      Path directory,
      Path root,
      Path upper,
      Path standardOutput,
      Path standardError) {}

  /**
   * What runs in a container.
   *
   * @param layers further read-only folders over the image's, lowest first
   * @param networkNamespace path of a prepared one; null: a new one with no way out
   * @param scratch an empty folder for the container's own changes, of a file system of limited
   *     size; null: they go to {@link Bundle#upper}
   * @param keepsChanges whether {@link Bundle#upper} is of use after the end, and so must survive a
   *     power cut
   * @param devices of the machine, beside those that every container has
   */
  record ContainerSpec(
      List<String> command,
      Map<String, String> environment,
      String workingDirectory,
      List<Path> layers,
      List<Bind> binds,
      @Nullable Path networkNamespace,
      Resources resources,
      @Nullable Path scratch,
      boolean keepsChanges,
      Devices devices) {

    /** Without devices of its own. */
    public ContainerSpec(
        List<String> command,
        Map<String, String> environment,
        String workingDirectory,
        List<Path> layers,
        List<Bind> binds,
        @Nullable Path networkNamespace,
        Resources resources,
        @Nullable Path scratch,
        boolean keepsChanges) {
      this(
          command,
          environment,
          workingDirectory,
          layers,
          binds,
          networkNamespace,
          resources,
          scratch,
          keepsChanges,
          Devices.NONE);
    }
  }

  /** A file or folder of the machine that shows at {@code target} in the container. */
  record Bind(Path source, String target, boolean readOnly) {}

  /** Devices that a container gets, and what is run for them. */
  record Devices(List<DeviceNode> nodes, List<Hook> hooks) {

    /** None. */
    public static final Devices NONE = new Devices(List.of(), List.of());

    public Devices {
      nodes = List.copyOf(nodes);
      hooks = List.copyOf(hooks);
    }
  }

  /**
   * A device node at {@code path} in the container.
   *
   * @param kind {@code c} or {@code b}
   * @param permissions of the node, as in {@code 0666}
   * @param access what the container may do: {@code r}, {@code w}, {@code m}
   */
  record DeviceNode(
      String path,
      String kind,
      long major,
      long minor,
      int permissions,
      int user,
      int group,
      String access) {

    /** The node {@code source} of this machine, under another path. */
    public static DeviceNode of(Path source, String path, String access) throws IOException {
      Map<String, Object> of = Files.readAttributes(source, "unix:mode,rdev,uid,gid");
      int mode = (Integer) Objects.requireNonNull(of.get("mode"));
      long device = (Long) Objects.requireNonNull(of.get("rdev"));
      int format = mode & 0xF000;
      if (format != 0x2000 && format != 0x6000) {
        throw new IOException(source + " is no device");
      }
      return new DeviceNode(
          path,
          format == 0x2000 ? "c" : "b",
          ((device >> 8) & 0xFFF) | ((device >> 32) & ~0xFFFL),
          (device & 0xFF) | ((device >> 12) & ~0xFFL),
          mode & 0xFFF,
          (Integer) Objects.requireNonNull(of.get("uid")),
          (Integer) Objects.requireNonNull(of.get("gid")),
          access);
    }
  }

  /**
   * A program of the machine that the runtime runs for a container, as OCI has it.
   *
   * @param stage {@code createContainer} and the like
   * @param arguments its own name first
   */
  record Hook(String stage, String program, List<String> arguments, List<String> environment) {

    private static final Set<String> STAGES =
        Set.of(
            "prestart",
            "createRuntime",
            "createContainer",
            "startContainer",
            "poststart",
            "poststop");

    public Hook {
      if (!STAGES.contains(stage)) {
        throw new IllegalArgumentException("'" + stage + "' is no stage of a hook");
      }
      arguments = List.copyOf(arguments);
      environment = List.copyOf(environment);
    }
  }

  /** Limits; 0 is none but the machine's. */
  record Resources(
      int requestCpuMillis,
      int limitCpuMillis,
      long requestMemoryBytes,
      long limitMemoryBytes,
      int limitProcesses) {

    /** No limits but a number of processes that spares the machine. */
    public static final Resources UNLIMITED = new Resources(0, 0, 0, 0, 4096);
  }

  /** How a container ended; {@code signal} is present when a signal, not the program, ended it. */
  record Exit(int code, OptionalInt signal, boolean outOfMemory) {

    private static final int SIGNAL_BASE = 128;
    private static final int LAST_SIGNAL = 64;

    /** From an exit code as shells and runtimes give it: 128 and the signal's number. */
    public static Exit ofStatus(int status, boolean memoryRanOut) {
      boolean signalled = status > SIGNAL_BASE && status <= SIGNAL_BASE + LAST_SIGNAL;
      OptionalInt signal = signalled ? OptionalInt.of(status - SIGNAL_BASE) : OptionalInt.empty();
      boolean killed = signal.isPresent() && signal.getAsInt() == 9;
      return new Exit(status, signal, killed && memoryRanOut);
    }

    /** For the log: "status 1", "signal 9", "signal 9, past its memory limit". */
    @Override
    public String toString() {
      String how = signal.isPresent() ? "signal " + signal.getAsInt() : "status " + code;
      return outOfMemory ? how + ", past its memory limit" : how;
    }
  }
}
