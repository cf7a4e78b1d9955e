package dev.troupe.node.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.Bundle;
import dev.troupe.node.container.ContainerDriver.ContainerSpec;
import dev.troupe.node.container.ContainerDriver.DeviceNode;
import dev.troupe.node.container.ContainerDriver.Devices;
import dev.troupe.node.container.ContainerDriver.Exit;
import dev.troupe.node.container.ContainerDriver.Resources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract on real containers, and what only real ones can show. Needs root and runc. */
@Tag("machine")
class RuncDriverTest extends ContainerDriverContract {

  private static final String CGROUP = "/troupe-driver-test";

  @Override
  ContainerDriver open(Path directory) throws IOException {
    return RuncDriver.open(
        new RuncDriver.Settings(
            "runc", directory.resolve("state"), directory.resolve("disk"), CGROUP));
  }

  @Override
  List<Path> image(Path directory) throws IOException {
    return List.of(TinyImage.in(directory.resolve("image")));
  }

  private static ContainerSpec shell(String script, Resources resources, Bind... binds) {
    return new ContainerSpec(
        List.of("/bin/sh", "-c", script),
        Map.of("PATH", "/bin", "GREETING", "hello"),
        "/tmp",
        List.of(),
        List.of(binds),
        null,
        resources,
        null,
        true);
  }

  private static ContainerSpec shell(String script) {
    return shell(script, Resources.UNLIMITED);
  }

  @Override
  ContainerSpec exitsWith(int code) {
    return shell("exit " + code);
  }

  @Override
  ContainerSpec prints(String out, String error) {
    return shell("printf '" + out + "'; printf '" + error + "' >&2");
  }

  @Override
  ContainerSpec exitsWhenInterrupted(int code) {
    return shell("trap 'exit " + code + "' INT; echo ready; while :; do sleep 0.05; done");
  }

  @Override
  ContainerSpec ignoresInterrupts() {
    return shell("trap '' INT; echo ready; while :; do sleep 0.05; done");
  }

  @Override
  ContainerSpec cannotBeStarted() {
    return new ContainerSpec(
        List.of("/bin/missing"),
        Map.of(),
        "/",
        List.of(),
        List.of(),
        null,
        Resources.UNLIMITED,
        null,
        true);
  }

  @Test
  void aProgramPastItsMemoryLimitIsReportedAsSuch() throws Exception {
    String grow = "x=0123456789abcdef; while :; do x=$x$x; done";
    Exit exit = changes(shell(grow, new Resources(100, 0, 16 << 20, 32 << 20, 64))).exit();

    assertThat(exit.outOfMemory()).isTrue();
    assertThat(exit.signal()).hasValue(9);
  }

  @Test
  void whatAContainerWritesIsInItsPipeAtOnce() throws Exception {
    try (ContainerDriver driver = open(directory)) {
      Bundle bundle = driver.prepare(ID, image(directory));
      driver.specialise(bundle, shell("while :; do sleep 1; done"));
      driver.start(bundle);
      Path process =
          Path.of("/proc", Files.readString(directory.resolve("state/pids/" + ID.value())));

      // Were a copying program in between, the agent could not tell what was printed when.
      assertThat(Files.isSameFile(process.resolve("fd/1"), bundle.standardOutput())).isTrue();
      assertThat(Files.isSameFile(process.resolve("fd/2"), bundle.standardError())).isTrue();
      driver.destroy(ID);
    }
  }

  @Test
  void environmentAndWorkingDirectoryAreTheSpecs() throws Exception {
    Outcome outcome = changes(shell("echo $GREETING from $PWD > said"));

    assertThat(outcome.exit().code()).isZero();
    assertThat(outcome.read("tmp/said")).isEqualTo("hello from /tmp\n");
  }

  @Test
  void aDeviceIsThereForWhomItIsGivenToAndNobodyElse() throws Exception {
    Path machines = Path.of("/dev/loop-control");
    assumeTrue(Files.exists(machines), "the machine has no /dev/loop-control to give");
    DeviceNode node = DeviceNode.of(machines, "/dev/given0", "rw");
    ContainerSpec plain = shell("exec 3</dev/given0 && echo open > said");
    ContainerSpec given =
        new ContainerSpec(
            plain.command(),
            plain.environment(),
            plain.workingDirectory(),
            plain.layers(),
            plain.binds(),
            null,
            plain.resources(),
            null,
            true,
            new Devices(List.of(node), List.of()));

    Outcome outcome = changes(given);

    assertThat(outcome.exit().code()).isZero();
    assertThat(outcome.read("tmp/said")).isEqualTo("open\n");
    assertThat(changes(plain).exit().code()).isNotZero();
  }

  @Test
  void bindsShowAndReadOnlyOnesStaySo() throws Exception {
    Path shared = Files.createDirectories(directory.resolve("shared"));
    Files.writeString(shared.resolve("word"), "bound\n");
    Outcome outcome =
        changes(
            shell(
                "cat /shared/word > /tmp/word; echo x > /shared/new || echo refused > /tmp/refused",
                Resources.UNLIMITED,
                new Bind(shared, "/shared", true)));

    assertThat(outcome.read("tmp/word")).isEqualTo("bound\n");
    assertThat(outcome.read("tmp/refused")).isEqualTo("refused\n");
    assertThat(shared.resolve("new")).doesNotExist();
  }

  @Test
  void aContainerHasNoWayToMountOrToSeeTheMachinesProcesses() throws Exception {
    Outcome outcome =
        changes(shell("ls /proc | cat > /tmp/processes; ls /sys/firmware > /tmp/masked"));

    assertThat(outcome.read("tmp/processes").lines().filter(line -> line.matches("[0-9]+")))
        .hasSizeLessThan(5);
    assertThat(outcome.read("tmp/masked")).isEmpty();
  }

  @Test
  void noControlGroupIsLeft() throws Exception {
    changes(shell("exit 0"));
    try (var groups =
        Files.find(
            Path.of("/sys/fs/cgroup"),
            3,
            (path, _) ->
                path.toString().contains(CGROUP) && path.toString().contains(ID.value()))) {
      assertThat(groups).isEmpty();
    }
  }

  private record Outcome(Exit exit, Map<String, String> files) {
    String read(String path) {
      return files.getOrDefault(path, "(no file " + path + ")");
    }
  }

  private Outcome changes(ContainerSpec spec) throws Exception {
    try (ContainerDriver driver = open(directory)) {
      Bundle bundle = driver.prepare(ID, image(directory));
      driver.specialise(bundle, spec);
      driver.start(bundle);
      Exit exit = driver.await(ID);
      Map<String, String> files = new HashMap<>();
      try (var paths = Files.walk(bundle.upper())) {
        for (Path path : paths.filter(Files::isRegularFile).toList()) {
          files.put(bundle.upper().relativize(path).toString(), Files.readString(path));
        }
      }
      driver.destroy(ID);
      return new Outcome(exit, files);
    }
  }
}
