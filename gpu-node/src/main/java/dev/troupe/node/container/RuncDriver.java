package dev.troupe.node.container;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.node.linux.Children;
import dev.troupe.node.linux.Command;
import dev.troupe.node.linux.FileTree;
import dev.troupe.node.linux.Posix;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Containers by {@code runc}: an overlay of the image's folders as they are, a bundle written here,
 * and one {@code runc run} that ends once the container's first process runs, which then is a child
 * of the agent. It outlives the agent; the next start of the agent sweeps it.
 *
 * <p>Nothing is between a container and its pipes: what it has written is in them. A runtime in the
 * foreground would copy it, some time later.
 */
public final class RuncDriver implements ContainerDriver {

  private static final Logger LOG = LoggerFactory.getLogger(RuncDriver.class);
  private static final Duration COMMAND_LIMIT = Duration.ofSeconds(30);
  private static final Duration END_LIMIT = Duration.ofSeconds(20);

  /**
   * Opens the pipes for reading and writing, so that neither a missing nor a dead reader stops or
   * breaks the container, and leaves the terminal's session, so that Ctrl-C is the agent's alone.
   */
  private static final String WRAPPER =
      "exec 1<>\"$1\" 2<>\"$2\" </dev/null; shift 2; exec setsid \"$@\"";

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Where a driver keeps things.
   *
   * @param runtime the program, as a name on the path or a path
   * @param state short-lived small files: bundles, pipes, the runtime's own state
   * @param disk root filesystems; of a filesystem that can be the upper one of an overlay
   * @param cgroup parent of its containers' control groups, as in {@code /troupe-1a2b}
   */
  public record Settings(String runtime, Path state, Path disk, String cgroup) {}

  private record Running(Process runtime, CompletableFuture<Exit> exit) {}

  private final Settings settings;
  private final Cgroups cgroups;
  private final OciConfiguration.Machine machine;
  private final PidFiles pidFiles;
  private final Children children;
  private final String version;
  private final Map<String, Running> running = new ConcurrentHashMap<>();

  /** Those for which programs are to be run after their end, too: the runtime does that. */
  private final Set<String> hooked = ConcurrentHashMap.newKeySet();

  private RuncDriver(
      Settings settings,
      Cgroups cgroups,
      OciConfiguration.Machine machine,
      PidFiles pidFiles,
      Children children,
      String version) {
    this.settings = settings;
    this.cgroups = cgroups;
    this.machine = machine;
    this.pidFiles = pidFiles;
    this.children = children;
    this.version = version;
  }

  /** Looks at the runtime and the machine; fails with what is missing. */
  public static RuncDriver open(Settings settings) throws IOException {
    String version = versionOf(settings.runtime());
    Cgroups cgroups = Cgroups.ofThisMachine();
    OciConfiguration.Machine machine =
        new OciConfiguration.Machine(
            SeccompProfile.forCapabilities(OciConfiguration.CAPABILITIES),
            cgroups.unified(),
            cgroups.swapIsCounted(),
            openFilesLimit());
    for (String folder : List.of("runtime", "bundles")) {
      Files.createDirectories(settings.state().resolve(folder));
    }
    Files.createDirectories(settings.disk());
    PidFiles pidFiles = PidFiles.in(settings.state().resolve("pids"));
    return new RuncDriver(settings, cgroups, machine, pidFiles, Children.adopt(), version);
  }

  private static long openFilesLimit() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/limits")).stream()
        .filter(line -> line.startsWith("Max open files"))
        .map(line -> line.split(" +", 6)[4])
        .filter(limit -> !limit.equals("unlimited"))
        .mapToLong(Long::parseLong)
        .findFirst()
        .orElse(Long.MAX_VALUE);
  }

  private static String versionOf(String runtime) throws IOException {
    try {
      return Command.run(COMMAND_LIMIT, runtime, "--version").lines().findFirst().orElse(runtime);
    } catch (IOException missing) {
      throw new IOException(
          "the container runtime '%s' can't be run; on Debian: apt-get install runc"
              .formatted(runtime),
          missing);
    }
  }

  @Override
  public String describe() {
    return version
        + (machine.unifiedCgroups() ? ", cgroup v2" : ", cgroup v1")
        + "; containers have their own pid, mount, uts, ipc and network namespaces, seccomp and no"
        + " new privileges; a container's root is the machine's root in rights it was not given up:"
        + " no user namespace yet";
  }

  @Override
  public List<ContainerId> recover() throws IOException {
    Set<String> names = new TreeSet<>();
    for (Path folder :
        List.of(
            settings.state().resolve("runtime"),
            settings.state().resolve("bundles"),
            settings.disk())) {
      try (Stream<Path> entries = Files.list(folder)) {
        entries.map(entry -> entry.getFileName().toString()).forEach(names::add);
      }
    }
    names.removeAll(running.keySet());
    return names.stream().map(ContainerId::new).toList();
  }

  @Override
  public Bundle prepare(ContainerId id, List<Path> layers) throws IOException {
    Path directory = bundleDirectory(id);
    Path disk = diskDirectory(id);
    Bundle bundle =
        new Bundle(
            id,
            List.copyOf(layers),
            directory,
            disk.resolve("root"),
            disk.resolve("upper"),
            directory.resolve("stdout"),
            directory.resolve("stderr"));
    Files.createDirectories(directory);
    Files.createDirectories(bundle.root());
    Files.createDirectories(bundle.upper());
    Files.createDirectories(disk.resolve("work"));
    for (Path pipe : List.of(bundle.standardOutput(), bundle.standardError())) {
      if (!Files.exists(pipe)) {
        Posix.makeFifo(pipe.toString());
      }
    }
    return bundle;
  }

  @Override
  public void specialise(Bundle bundle, ContainerSpec spec) throws IOException {
    if (!Mounts.isMountPoint(bundle.root())) {
      List<Path> lowestFirst = new ArrayList<>(bundle.layers());
      lowestFirst.addAll(spec.layers());
      Path upper = bundle.upper();
      Path work = diskDirectory(bundle.id()).resolve("work");
      if (spec.scratch() != null) {
        upper = Files.createDirectories(spec.scratch().resolve("upper"));
        work = Files.createDirectories(spec.scratch().resolve("work"));
      }
      Mounts.mountOverlay(lowestFirst, upper, work, bundle.root(), spec.keepsChanges());
    }
    if (!spec.devices().hooks().isEmpty()) {
      hooked.add(bundle.id().value());
    }
    JSON.writeValue(
        bundle.directory().resolve("config.json").toFile(),
        OciConfiguration.of(bundle, spec, cgroup(bundle.id()), machine));
  }

  @Override
  public void start(Bundle bundle) throws IOException {
    String name = bundle.id().value();
    if (running.containsKey(name)) {
      return;
    }
    CompletableFuture<Void> appeared = pidFiles.appearance(name);
    Process runtime = launch(bundle);
    CompletableFuture<Exit> exit =
        runtime
            .onExit()
            .thenCompose(made -> endOf(name, made.exitValue()))
            .thenApply(status -> Exit.ofStatus(status, cgroups.memoryRanOut(cgroup(bundle.id()))));
    running.put(name, new Running(runtime, exit));
    CompletableFuture.anyOf(appeared, exit).join();
    if (!Files.exists(pidFiles.of(name))) {
      throw new IOException("the container runtime can't start it: " + lastError(bundle));
    }
  }

  /** The end of a container's first process, if the runtime made one. */
  private CompletableFuture<Integer> endOf(String name, int runtimeStatus) {
    if (runtimeStatus != 0) {
      return CompletableFuture.completedFuture(runtimeStatus);
    }
    try {
      return children.end(pidFiles.process(name));
    } catch (IOException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private Process launch(Bundle bundle) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "/bin/sh",
                "-c",
                WRAPPER,
                "sh",
                bundle.standardOutput().toString(),
                bundle.standardError().toString()));
    command.addAll(runtimeCommand("--log", runtimeLog(bundle).toString(), "--log-format", "json"));
    command.addAll(
        List.of("run", "--detach", "--pid-file", pidFiles.of(bundle.id().value()).toString()));
    command.addAll(List.of("--bundle", bundle.directory().toString(), bundle.id().value()));
    File nowhere = new File("/dev/null");
    return new ProcessBuilder(command)
        .redirectInput(nowhere)
        .redirectOutput(nowhere)
        .redirectError(nowhere)
        .start();
  }

  private static String lastError(Bundle bundle) throws IOException {
    Path log = runtimeLog(bundle);
    if (!Files.exists(log)) {
      return "it said nothing";
    }
    String message = "it said nothing";
    for (String line : Files.readAllLines(log)) {
      JsonNode entry = JSON.readTree(line);
      if (entry.path("level").asText().equals("error")) {
        message = entry.path("msg").asText();
      }
    }
    return message;
  }

  @Override
  public Exit await(ContainerId id) throws IOException, InterruptedException {
    Running container = running.get(id.value());
    if (container == null) {
      throw new IOException("container " + id.value() + " was never started");
    }
    try {
      return container.exit().get();
    } catch (ExecutionException unknown) {
      throw new IOException("the end of container " + id.value() + " is not known", unknown);
    }
  }

  @Override
  public void stop(ContainerId id, Duration grace) throws IOException {
    Running container = running.get(id.value());
    if (container == null || container.exit().isDone()) {
      return;
    }
    if (grace.isZero()) {
      signal(id, "KILL");
      return;
    }
    signal(id, "INT");
    Thread.startVirtualThread(() -> killUnlessOver(id, container, grace));
  }

  private void killUnlessOver(ContainerId id, Running container, Duration grace) {
    try {
      if (!isOver(container, grace)) {
        signal(id, "KILL");
      }
    } catch (IOException failure) {
      LOG.warn("container {} can't be killed", id.value(), failure);
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  /** One that is over can't be signalled, and needs none. */
  private void signal(ContainerId id, String signal) throws IOException {
    List<String> command = runtimeCommand("kill", id.value(), signal);
    Command.Result result = Command.execute(COMMAND_LIMIT, "", command, Map.of(), _ -> {});
    Running container = running.get(id.value());
    boolean over = container == null || container.exit().isDone();
    if (result.exitCode() != 0
        && !over
        && !result.output().contains("process already finished")
        && !result.output().contains("container not running")) {
      throw new IOException("runc kill: " + result.output().strip());
    }
  }

  @Override
  public void destroy(ContainerId id) throws IOException {
    @Nullable Running container = running.get(id.value());
    List<String> delete = runtimeCommand("delete", "--force", id.value());
    boolean hooks = hooked.remove(id.value());
    boolean known = Files.exists(settings.state().resolve("runtime").resolve(id.value()));
    if (known && (hooks || !hasEnded(container))) {
      Command.execute(COMMAND_LIMIT, "", delete, Map.of(), _ -> {});
    }
    cgroups.remove(cgroup(id));
    if (container != null && !container.exit().isDone()) {
      container.runtime().destroyForcibly();
      awaitEnd(container);
    }
    FileTree.delete(settings.state().resolve("runtime").resolve(id.value()));
    Mounts.unmountAllBelow(diskDirectory(id));
    FileTree.delete(diskDirectory(id));
    FileTree.delete(bundleDirectory(id));
    pidFiles.forget(id.value());
    running.remove(id.value());
    children.reapStrangers();
  }

  /**
   * Whether the runtime made it and it has ended, with all its processes, as its first one has:
   * then nothing is left of it but files and control groups.
   */
  private static boolean hasEnded(@Nullable Running container) {
    return container != null
        && container.exit().state() == Future.State.SUCCESS
        && container.runtime().exitValue() == 0;
  }

  private static boolean isOver(Running container, Duration limit) throws InterruptedException {
    try {
      container.exit().get(limit.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException stillThere) {
      return false;
    } catch (ExecutionException unknown) {
      return true;
    }
  }

  private static void awaitEnd(Running container) throws IOException {
    try {
      if (!isOver(container, END_LIMIT)) {
        throw new IOException("the container did not end");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", interrupted);
    }
  }

  /** Removes the parent of its containers' control groups, with whatever is left in it. */
  @Override
  public void close() {
    pidFiles.close();
    try {
      cgroups.remove(settings.cgroup());
    } catch (IOException left) {
      LOG.warn("control groups are left behind until the next start", left);
    }
  }

  private List<String> runtimeCommand(String... arguments) {
    return Stream.concat(
            Stream.of(settings.runtime(), "--root", settings.state().resolve("runtime").toString()),
            Stream.of(arguments))
        .collect(Collectors.toCollection(ArrayList::new));
  }

  private String cgroup(ContainerId id) {
    return settings.cgroup() + "/" + id.value();
  }

  private Path bundleDirectory(ContainerId id) {
    return settings.state().resolve("bundles").resolve(id.value());
  }

  private Path diskDirectory(ContainerId id) {
    return settings.disk().resolve(id.value());
  }

  private static Path runtimeLog(Bundle bundle) {
    return bundle.directory().resolve("runtime.log");
  }
}
