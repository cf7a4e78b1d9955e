package dev.troupe.node.container.testing;

import dev.troupe.node.container.ContainerDriver;
import dev.troupe.node.linux.FileTree;
import dev.troupe.node.linux.Posix;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A driver whose containers are programs in Java, on virtual threads of this process. It needs no
 * rights and can be told to fail at each step.
 */
public final class FakeContainerDriver implements ContainerDriver {

  /** A step that can be told to fail. */
  public enum Step {
    RECOVER,
    PREPARE,
    SPECIALISE,
    START,
    AWAIT,
    STOP,
    DESTROY
  }

  /** What a container does; returns its exit code. */
  @FunctionalInterface
  public interface Program {
    int run(Execution execution) throws InterruptedException, IOException;
  }

  /** A program's view of its container. */
  public static final class Execution {

    private final Bundle bundle;
    private final ContainerSpec spec;
    private final CompletableFuture<Void> interrupted = new CompletableFuture<>();

    private Execution(Bundle bundle, ContainerSpec spec) {
      this.bundle = bundle;
      this.spec = spec;
    }

    public ContainerSpec spec() {
      return spec;
    }

    public void print(String text) throws IOException {
      write(bundle.standardOutput(), text);
    }

    public void printError(String text) throws IOException {
      write(bundle.standardError(), text);
    }

    /** Returns once SIGINT came. */
    public void awaitInterrupt() throws InterruptedException {
      try {
        interrupted.get();
      } catch (ExecutionException impossible) {
        throw new IllegalStateException(impossible);
      }
    }

    private static void write(Path pipe, String text) throws IOException {
      // For reading too: opening a pipe that has no reader yet would wait for one.
      try (RandomAccessFile file = new RandomAccessFile(pipe.toFile(), "rw")) {
        file.write(text.getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private static final class Container {
    private final CompletableFuture<Exit> exit = new CompletableFuture<>();
    private final Execution execution;
    private final Thread thread;

    private Container(Execution execution, Program program) {
      this.execution = execution;
      this.thread =
          Thread.ofVirtual()
              .unstarted(
                  () -> {
                    try {
                      exit.complete(Exit.ofStatus(program.run(execution), false));
                    } catch (InterruptedException killed) {
                      exit.complete(Exit.ofStatus(137, false));
                    } catch (IOException | RuntimeException failure) {
                      exit.complete(Exit.ofStatus(1, false));
                    }
                  });
    }
  }

  private final Path directory;
  private final Map<String, Program> programs = new ConcurrentHashMap<>();
  private final Map<String, ContainerSpec> specialised = new ConcurrentHashMap<>();
  private final Map<String, Container> containers = new ConcurrentHashMap<>();
  private final Map<Step, Queue<String>> failures = new EnumMap<>(Step.class);

  public FakeContainerDriver(Path directory) {
    this.directory = directory;
  }

  /** What a command whose first word is {@code name} does. An unknown one can't be started. */
  public FakeContainerDriver with(String name, Program program) {
    programs.put(name, program);
    return this;
  }

  /** Makes the next call of a step fail with this sentence. */
  public synchronized void failNext(Step step, String sentence) {
    failures.computeIfAbsent(step, _ -> new ArrayDeque<>()).add(sentence);
  }

  /** Kills a container as the kernel does when its memory runs out. */
  public void exhaustMemory(ContainerId id) {
    Container container = containers.get(id.value());
    if (container != null) {
      container.exit.complete(Exit.ofStatus(137, true));
      container.thread.interrupt();
    }
  }

  private synchronized void reach(Step step) throws IOException {
    @Nullable String sentence = failures.getOrDefault(step, new ArrayDeque<>()).poll();
    if (sentence != null) {
      throw new IOException(sentence);
    }
  }

  @Override
  public String describe() {
    return "no runtime: containers are threads of this process";
  }

  @Override
  public List<ContainerId> recover() throws IOException {
    reach(Step.RECOVER);
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (var folders = Files.list(directory)) {
      return folders
          .map(folder -> folder.getFileName().toString())
          .filter(name -> !containers.containsKey(name))
          .map(ContainerId::new)
          .toList();
    }
  }

  @Override
  public Bundle prepare(ContainerId id, List<Path> layers) throws IOException {
    reach(Step.PREPARE);
    Path home = directory.resolve(id.value());
    Files.createDirectories(home.resolve("upper"));
    for (String pipe : List.of("stdout", "stderr")) {
      if (!Files.exists(home.resolve(pipe))) {
        Posix.makeFifo(home.resolve(pipe).toString());
      }
    }
    return new Bundle(
        id,
        List.copyOf(layers),
        home,
        home.resolve("root"),
        home.resolve("upper"),
        home.resolve("stdout"),
        home.resolve("stderr"));
  }

  @Override
  public void specialise(Bundle bundle, ContainerSpec spec) throws IOException {
    reach(Step.SPECIALISE);
    specialised.put(bundle.id().value(), spec);
  }

  @Override
  public void start(Bundle bundle) throws IOException {
    reach(Step.START);
    ContainerSpec spec = specialised.get(bundle.id().value());
    Program program = spec == null ? null : programs.get(spec.command().getFirst());
    if (spec == null || program == null) {
      throw new IOException("there is no such program");
    }
    Container fresh = new Container(new Execution(bundle, spec), program);
    if (containers.putIfAbsent(bundle.id().value(), fresh) == null) {
      fresh.thread.start();
    }
  }

  @Override
  public Exit await(ContainerId id) throws IOException, InterruptedException {
    reach(Step.AWAIT);
    Container container = containers.get(id.value());
    if (container == null) {
      throw new IOException("container " + id.value() + " was never started");
    }
    try {
      return container.exit.get();
    } catch (ExecutionException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void stop(ContainerId id, Duration grace) throws IOException {
    reach(Step.STOP);
    Container container = containers.get(id.value());
    if (container == null) {
      return;
    }
    if (grace.isZero()) {
      container.thread.interrupt();
      return;
    }
    container.execution.interrupted.complete(null);
    CompletableFuture.delayedExecutor(grace.toMillis(), TimeUnit.MILLISECONDS)
        .execute(container.thread::interrupt);
  }

  @Override
  public void destroy(ContainerId id) throws IOException {
    reach(Step.DESTROY);
    Container container = containers.remove(id.value());
    if (container != null) {
      container.thread.interrupt();
      container.exit.complete(Exit.ofStatus(137, false));
    }
    specialised.remove(id.value());
    FileTree.delete(directory.resolve(id.value()));
  }

  @Override
  public void close() {
    containers.values().forEach(container -> container.thread.interrupt());
  }
}
