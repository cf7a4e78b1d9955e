package dev.troupe.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.id.Ids;
import dev.troupe.node.image.oci.ImageSettings;
import dev.troupe.protocol.link.BuildImage;
import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.ContainerReport.State;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.MountFile;
import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.link.StopContainer;
import dev.troupe.protocol.link.ToMachine;
import dev.troupe.protocol.modal.Image;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The agent as production starts it, on real containers, with a control plane that only writes
 * down. The first run makes a base image and a runner and takes minutes; later ones find them.
 */
@Tag("machine")
@Timeout(600)
class NodeAgentTest {

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration BUILD = Duration.ofMinutes(8);
  private static final String APP = "ap-agenttest00000000000000";

  private static final byte[] HELLO = "print('hello')\n".getBytes(StandardCharsets.UTF_8);

  private final RecordingControlPlane controlPlane = new RecordingControlPlane();
  private final BlockingQueue<ContainerDoor.Call> calls = new LinkedBlockingQueue<>();
  private @Nullable NodeAgent agent;

  @BeforeEach
  void startAgent() throws IOException {
    agent = start(controlPlane);
  }

  private NodeAgent start(RecordingControlPlane with) throws IOException {
    Path data = TestCache.folder("agent");
    NodeSettings settings =
        new NodeSettings(
            true,
            "",
            data,
            "runc",
            List.of("H100"),
            "",
            1,
            0,
            1,
            8 << 20,
            Duration.ofDays(30),
            Map.of("zone", "test"),
            new ImageSettings(
                true,
                Map.of(),
                Set.of(),
                "",
                1,
                1 << 30,
                1_000,
                false,
                1 << 30,
                Duration.ofDays(7),
                Map.of()));
    ContainerDoor door =
        (call, _) -> {
          calls.add(call);
          return () -> {};
        };
    BlobDoor blobs =
        _ -> new BlobDoor.Response(404, Map.of(), 0, new ByteArrayInputStream(new byte[0]));
    return NodeAgent.start(settings, with, door, blobs, NodeAgentTest::content, (_, _) -> {});
  }

  private static InputStream content(String sha256Hex) throws IOException {
    if (sha256Hex.equals(sha256(HELLO))) {
      return new ByteArrayInputStream(HELLO);
    }
    throw new FileNotFoundException(sha256Hex);
  }

  private static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(Ids.sha256().digest(bytes));
  }

  @AfterEach
  void stopAgent() {
    if (agent != null) {
      agent.close();
    }
  }

  private static ImageChain slim() {
    Image base =
        Image.newBuilder()
            .addDockerfileCommands("FROM python:3.11.12-slim-bookworm")
            .addDockerfileCommands("RUN pip install --upgrade pip wheel uv")
            .addDockerfileCommands("CMD [\"sleep\", \"172800\"]")
            .build();
    Image over =
        Image.newBuilder()
            .addBaseImages(dev.troupe.protocol.modal.BaseImage.newBuilder().setDockerTag("base"))
            .addDockerfileCommands("FROM base")
            .addDockerfileCommands("ENV GREETING='hello there'")
            .addDockerfileCommands("WORKDIR /srv/app")
            .build();
    return ImageChain.newBuilder()
        .addLayers(layer("im-agentbase0000000000000", base))
        .addLayers(layer("im-agentover0000000000000", over))
        .build();
  }

  private static Layer layer(String id, Image image) {
    return Layer.newBuilder()
        .setImageId(id)
        .setDefinition(image.toByteString())
        .setBuilderVersion("2025.06")
        .build();
  }

  private static String task(int number) {
    byte[] bytes = new byte[16];
    bytes[15] = (byte) number;
    return Ids.task(bytes).value();
  }

  private static StartContainer order(String task) {
    return StartContainer.newBuilder()
        .setTaskId(task)
        .setFunctionId("fu-agenttest00000000000000")
        .setAppId(APP)
        .setImage(slim())
        .addMounts(
            Mount.newBuilder()
                .setMountId("mo-agenttest0000000000000")
                .addFiles(
                    MountFile.newBuilder()
                        .setPath("/root/hello.py")
                        .setSha256Hex(sha256(HELLO))
                        .setSizeBytes(HELLO.length)))
        .setContainerArguments(ByteString.EMPTY)
        .setClientVersion("1.6.4")
        .setBuilderVersion("2025.06")
        .setEnvironmentName("main")
        .build();
  }

  @Test
  void buildsAnImageAndStartsTheRunnerInIt() throws Exception {
    controlPlane.await(
        SOON,
        message ->
            message.hasHello()
                ? java.util.Optional.of(message.getHello())
                : java.util.Optional.empty());
    controlPlane.say(
        ToMachine.newBuilder()
            .setBuild(BuildImage.newBuilder().setBuildId("b1").setImage(slim()))
            .build());
    var built = controlPlane.awaitBuild(BUILD, "b1");
    assertThat(built.getFailure()).isEmpty();
    assertThat(built.getPythonVersion()).startsWith("Python 3.11.");
    assertThat(built.getWorkdir()).isEqualTo("/srv/app");
    assertThat(built.getLibcVersion()).startsWith("glibc");

    String task = task(1);
    controlPlane.say(ToMachine.newBuilder().setStart(order(task)).build());
    controlPlane.say(ToMachine.newBuilder().setStart(order(task)).build());
    controlPlane.awaitContainer(BUILD, task, State.RUNNING);
    ContainerDoor.Call first = calls.poll(20, TimeUnit.SECONDS);
    assertThat(first).isNotNull();
    assertThat(first.method()).isEqualTo("ContainerHello");
    assertThat(first.task().value()).isEqualTo(task);
    assertThat(first.headers()).containsEntry("x-modal-client-version", "1.6.4");

    controlPlane.say(
        ToMachine.newBuilder()
            .setStop(StopContainer.newBuilder().setTaskId(task).setGraceMs(0))
            .build());
    ContainerReport ended = controlPlane.awaitContainer(SOON, task, State.ENDED);
    assertThat(ended.getSignal()).isEqualTo(9);
    assertThat(
            controlPlane.count(
                message ->
                    message.getContainer().getTaskId().equals(task)
                        && message.getContainer().getState() == State.STARTING))
        .isEqualTo(1);
  }

  @Test
  void followsWhatAContainerPrintsAndSaysWhenThatIsAll() throws Exception {
    String task = task(2);
    StartContainer broken =
        order(task).toBuilder().putEnvironment("PYTHONSTARTUP", "").setBlockNetwork(true).build();
    controlPlane.await(
        SOON,
        message -> message.hasHello() ? java.util.Optional.of(1) : java.util.Optional.empty());
    controlPlane.say(
        ToMachine.newBuilder()
            .setFollow(
                FollowLogs.newBuilder()
                    .setFollowId("f1")
                    .setAppId(APP)
                    .setFilter(LogFilter.newBuilder().setTaskId(task))
                    .setCredit(1000))
            .build());
    controlPlane.say(
        ToMachine.newBuilder()
            .setStart(broken.toBuilder().putEnvironment("PYTHONHOME", "/nowhere"))
            .build());
    ContainerReport ended = controlPlane.awaitContainer(BUILD, task, State.ENDED);
    assertThat(ended.getExitCode()).isEqualTo(1);
    controlPlane.await(
        SOON,
        message ->
            java.util.Optional.of(message)
                .filter(FromMachine::hasLogs)
                .filter(heard -> heard.getLogs().getLinesCount() > 0));
    controlPlane.await(
        SOON,
        message ->
            java.util.Optional.of(message)
                .filter(heard -> heard.getLogs().getDrained())
                .filter(_ -> !controlPlane.batches().isEmpty()));
  }

  @Test
  void aStepThatIsNotServedFailsTheBuildWithASentence() throws Exception {
    controlPlane.await(
        SOON,
        message -> message.hasHello() ? java.util.Optional.of(1) : java.util.Optional.empty());
    ImageChain chain =
        ImageChain.newBuilder()
            .addLayers(
                layer(
                    "im-agentwrong000000000000",
                    Image.newBuilder()
                        .addDockerfileCommands("FROM scratch")
                        .addDockerfileCommands("RUN --mount=type=ssh true")
                        .build()))
            .build();
    controlPlane.say(
        ToMachine.newBuilder()
            .setBuild(BuildImage.newBuilder().setBuildId("b2").setImage(chain))
            .build());

    assertThat(controlPlane.awaitBuild(SOON, "b2").getFailure()).contains("RUN --mount=type=ssh");
  }
}
