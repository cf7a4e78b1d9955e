package dev.troupe.node.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.troupe.node.linux.Command;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Dockerfiles carried out by real containers. Needs root and runc. */
@Tag("machine")
@Timeout(120)
class ImageBuilderTest {

  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir private Path folder = Path.of("unset");
  private BuildBench bench;

  @BeforeEach
  void open() throws IOException {
    bench = new BuildBench(folder, folder.resolve("disk"));
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    try (BuildBench closing = bench) {
      closing.assertNothingLeft();
    }
  }

  private void addFile(String name, String text) throws IOException {
    Path file = folder.resolve("file-" + name.replace('/', '-'));
    Files.writeString(file, text);
    bench.add(name, file);
  }

  // ---- mounts of RUN

  @Test
  void aStepSeesItsMountsAndTheLayerHasNoTraceOfThem() throws Exception {
    addFile("/data/word", "bound");

    ImageRecord image =
        bench.build(
            Map.of("TOKEN", "s3cret"),
            "RUN --mount=source=data,target=/in/deep,rw \\",
            "  --mount=source=data/word,target=word \\",
            "  --mount=type=tmpfs,target=/memory,size=1m \\",
            "  --mount=type=cache,target=/root/.cache/x \\",
            "  --mount=type=secret,id=TOKEN,mode=0440 \\",
            "  --mount=type=secret,id=TOKEN,env=OTHER \\",
            "  --mount=type=secret,id=ABSENT \\",
            "  cat /in/deep/word /word /run/secrets/TOKEN > /result; echo $OTHER >> /result \\",
            "  ; echo x > /memory/x; echo x > /root/.cache/x/y; echo x > /in/deep/new; ls /run/secrets >> /result");

    assertThat(bench.read(image, "/result")).isEqualTo("boundbounds3cret" + "s3cret\nTOKEN\n");
    assertThat(bench.topLayer(image)).containsExactly("result");
    assertThat(Command.run(SOON, "grep", "-rlI", "-e", "s3cret", folder + "/disk"))
        .as("on the disk, but for what the step itself wrote")
        .isEqualTo(bench.store().layer(image.layers().getLast()) + "/result\n");
  }

  @Test
  void whatAStepPutsBesideAMountStays() throws Exception {
    ImageRecord image =
        bench.build("RUN --mount=type=tmpfs,target=/a/b/c echo x > /a/b/mine; echo y > /a/b/c/not");

    assertThat(bench.topLayer(image)).containsExactly("a", "a/b", "a/b/mine");
  }

  @Test
  void aReadOnlyMountIsNotWritten() throws Exception {
    addFile("/data/word", "bound");

    ImageRecord image =
        bench.build(
            "RUN --mount=source=data,target=/in echo x 2>&1 > /in/new || echo refused > /r");

    assertThat(bench.read(image, "/r")).isEqualTo("refused\n");
  }

  @Test
  void aMountOfFilesMakesAStepAnotherOneWhenTheyChange() throws Exception {
    String step = "RUN --mount=source=data,target=/in cat /in/word > /result";
    addFile("/data/word", "one");
    ImageRecord first = bench.build(step);
    assertThat(bench.build(step).layers()).isEqualTo(first.layers());
    addFile("/data/word", "two");

    assertThat(bench.read(bench.build(step), "/result")).isEqualTo("two");
  }

  @Test
  void anEarlierStageIsMounted() throws Exception {
    ImageRecord image =
        bench.build(
            "RUN echo made > /made",
            "FROM scratch",
            "COPY tiny /",
            "RUN --mount=from=0,target=/other cat /other/made > /result",
            "RUN --mount=type=cache,from=0,source=/etc,target=/cache,id=begun ls / >/dev/null");

    assertThat(bench.read(image, "/result")).isEqualTo("made\n");
  }

  @Test
  void aSecretThatIsRequiredAndNotThereIsNamed() {
    assertThatThrownBy(() -> bench.build("RUN --mount=type=secret,id=TOKEN,required echo"))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("the secret 'TOKEN'");
  }

  @Test
  void aCacheIsKeptFromBuildToBuildAndNotInAnImage() throws Exception {
    String cache = "RUN --mount=type=cache,id=a,target=/cache ";
    bench.build(cache + "echo kept > /cache/file");
    ImageRecord image = bench.build(cache + "cat /cache/file > /result");

    assertThat(bench.read(image, "/result")).isEqualTo("kept\n");
    assertThat(bench.topLayer(image)).containsExactly("result");
    List<Path> taken = bench.store().takeCaches();
    assertThat(taken).hasSize(1);
    FileTree.delete(taken.getFirst());
    ImageRecord after = bench.build(cache + "cat /cache/file > /result || echo gone > /result");
    assertThat(bench.read(after, "/result")).isEqualTo("gone\n");
  }

  @Test
  void aStepWithoutNetworkHasNoWayOut() throws Exception {
    ImageRecord with = bench.build("RUN cat /proc/net/route > /routes");
    ImageRecord without = bench.build("RUN --network=none cat /proc/net/route > /routes");

    assertThat(bench.read(with, "/routes")).contains("eth0\t00000000\t");
    assertThat(bench.read(without, "/routes")).doesNotContain("\t00000000\t4D");
  }

  // ---- ADD

  private Path tar(String name, String option, String... members) throws IOException {
    Path from = Files.createDirectories(folder.resolve("packed"));
    Files.createDirectories(from.resolve("dir"));
    Files.writeString(from.resolve("dir/word"), "packed");
    Files.writeString(from.resolve(".wh.name"), "a name like any other");
    Path file = folder.resolve(name);
    java.util.ArrayList<String> command =
        new java.util.ArrayList<>(
            List.of("tar", "-C", from.toString(), option, "-cPf", file.toString()));
    command.addAll(List.of(members));
    Command.run(SOON, "", command);
    return file;
  }

  @Test
  void archivesThatAreAddedAreUnpacked() throws Exception {
    for (String option : List.of("--no-xattrs", "--gzip", "--bzip2", "--xz", "--zstd")) {
      bench.add("/a.bin", tar("a" + option, option, "."));
      ImageRecord image =
          bench.build("ADD a.bin /to", "ADD --unpack=false a.bin /as/it/is", "COPY a.bin /too");

      assertThat(bench.read(image, "/to/dir/word")).as(option).isEqualTo("packed");
      assertThat(bench.read(image, "/to/.wh.name")).isEqualTo("a name like any other");
      try (LayerMount mount = LayerMount.of(bench.store(), bench.store().layersOf(image))) {
        assertThat(mount.files().resolve("/as/it/is")).isRegularFile();
        assertThat(mount.files().resolve("/too")).isRegularFile();
      }
    }
  }

  @Test
  void anArchiveThatLeadsOutIsRefused() throws Exception {
    Path victim = Files.writeString(folder.resolve("victim"), "untouched");
    bench.add(
        "/a.tar",
        tar("a.tar", "--transform=s,dir/word,../../../../../../../" + victim + ",", "dir/word"));

    assertThatThrownBy(() -> bench.build("ADD a.tar /to"))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("leads out");
    assertThat(victim).hasContent("untouched");
  }

  @Test
  void anAddressOfTheMachineItselfIsNotReached() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 2);
          exchange.getResponseBody().write("ok".getBytes(java.nio.charset.StandardCharsets.UTF_8));
          exchange.close();
        });
    server.start();
    try {
      String address = "http://127.0.0.1:" + server.getAddress().getPort() + "/file";
      assertThatThrownBy(() -> bench.build("ADD " + address + " /to"))
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining(address + " can't be fetched");
    } finally {
      server.stop(0);
    }
  }

  // ---- what goes wrong

  private static Optional<ProcessHandle> process(String argument) {
    return ProcessHandle.allProcesses()
        .filter(
            process ->
                process.info().arguments().map(List::of).orElse(List.of()).contains(argument))
        .filter(process -> process.info().command().filter(it -> it.endsWith("/sleep")).isPresent())
        .findFirst();
  }

  private static ProcessHandle awaitProcess(String argument) throws InterruptedException {
    for (long end = System.nanoTime() + SOON.toNanos(); System.nanoTime() < end; ) {
      Optional<ProcessHandle> found = process(argument);
      if (found.isPresent()) {
        return found.get();
      }
      Thread.sleep(20);
    }
    throw new AssertionError("no step came to sleep for " + argument);
  }

  @Test
  void aStepWhoseContainerIsKilledFailsAndIsRunAgain() throws Exception {
    String step =
        "RUN --mount=type=cache,target=/c [ -e /c/on ] || { echo > /c/on; exec sleep 97.25; }";
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ImageRecord> build = threads.submit(() -> bench.build(step));
      awaitProcess("97.25").destroyForcibly();

      assertThatThrownBy(build::get).hasMessageContaining("returned a non-zero code: 137");
    }
    bench.assertNothingLeft();
    assertThat(bench.build(step).layers()).hasSize(3);
  }

  @Test
  void aBuildThatIsGivenUpLeavesNothing() throws Exception {
    Thread build =
        Thread.startVirtualThread(
            () -> {
              try {
                bench.build("RUN --mount=type=tmpfs,target=/m exec sleep 98.25");
              } catch (Exception expected) {
                bench.log.add("given up");
              }
            });
    awaitProcess("98.25");
    build.interrupt();
    build.join();

    assertThat(bench.log).contains("given up");
    assertThat(process("98.25")).isEmpty();
  }

  @Test
  void twoBuildsOfOneContentRunItOnce() throws Exception {
    String step =
        "RUN --mount=type=cache,target=/c sleep 1; echo ran >> /c/times; cat /c/times > /times";
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ImageRecord> one = threads.submit(() -> bench.build(step));
      Future<ImageRecord> other = threads.submit(() -> bench.build(step));

      assertThat(one.get().layers()).isEqualTo(other.get().layers());
      assertThat(bench.read(one.get(), "/times")).isEqualTo("ran\n");
    }
  }

  @Test
  void whatAKilledProcessLeftIsGoneAtTheNextStart() throws Exception {
    ImageRecord image = bench.build("RUN echo kept > /kept");
    ImageStore store = bench.store();
    // What is there while a step runs, while files are copied, and while a record is written.
    LayerMount copying = LayerMount.of(store, store.layersOf(image));
    Files.writeString(copying.files().resolve("/half"), "half a layer");
    Files.createDirectories(store.newFolder().resolve("some/half"));
    Path memory = store.newFolder();
    dev.troupe.node.container.Mounts.mountMemory(memory, 1 << 20);
    Files.writeString(store.layer("").resolve("../images/im-x.json.new"), "{\"lay");

    bench.restart(folder);

    bench.assertNothingLeft();
    assertThat(bench.build("RUN echo kept > /kept").layers()).isEqualTo(image.layers());
  }

  @Test
  void aFullDiskFailsABuildLeavesNothingAndTheNextOneGoesOn() throws Exception {
    bench.close();
    Path disk = Files.createDirectory(folder.resolve("small"));
    Command.run(SOON, "mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk.toString());
    try {
      bench = new BuildBench(folder, disk);
      byte[] noise = new byte[4 << 20];
      bench.add("/noise", Files.write(folder.resolve("noise"), noise));
      bench.build("RUN echo");
      ImageRecord before = bench.build("RUN echo before");
      // Each step of a build meets the full disk: the context, a copy, a command, an archive.
      for (String step :
          List.of(
              "RUN while echo 0123456789012345678901234567890123456789; do :; done > /full; cat /bin/cat > /more",
              "COPY noise /1\nCOPY noise /2\nCOPY noise /3\nCOPY noise /4\nCOPY noise /5\nCOPY noise /6",
              "RUN --mount=source=noise,target=/n cat /n /n /n /n /n /n /n /n > /full")) {
        assertThatThrownBy(() -> bench.build(step)).as(step).isInstanceOf(IOException.class);
        bench.assertNothingLeft();
      }
      assertThat(bench.build("RUN echo before").layers()).isEqualTo(before.layers());
      Command.run(SOON, "mount", "-o", "remount,size=200m", disk.toString());

      ImageRecord after =
          bench.build("RUN --mount=source=noise,target=/n cat /n /n /n /n /n /n /n /n > /full");
      assertThat(after.layers()).hasSize(3);
      bench.assertNothingLeft();
    } finally {
      bench.close();
      dev.troupe.node.container.Mounts.unmountAllBelow(disk);
      bench = new BuildBench(folder, folder.resolve("disk"));
    }
  }
}
