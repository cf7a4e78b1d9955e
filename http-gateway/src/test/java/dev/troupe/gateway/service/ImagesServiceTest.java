package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Timestamp;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.image.ImageProtocol.Chain;
import dev.troupe.actors.image.ImageProtocol.Describe;
import dev.troupe.actors.image.ImageProtocol.Ensure;
import dev.troupe.actors.image.ImageProtocol.GetChain;
import dev.troupe.actors.image.ImageProtocol.GetRun;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Join;
import dev.troupe.actors.image.ImageProtocol.LastRun;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.Line;
import dev.troupe.actors.image.ImageProtocol.Progress;
import dev.troupe.actors.image.ImageProtocol.Renew;
import dev.troupe.actors.image.ImageProtocol.RenewedBy;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.BaseImage;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import dev.troupe.protocol.modal.Image;
import dev.troupe.protocol.modal.ImageBuildChainGetRequest;
import dev.troupe.protocol.modal.ImageBuildChainGetResponse;
import dev.troupe.protocol.modal.ImageBuildStep;
import dev.troupe.protocol.modal.ImageGetOrCreateRequest;
import dev.troupe.protocol.modal.ImageGetOrCreateResponse;
import dev.troupe.protocol.modal.ImageJoinStreamingRequest;
import dev.troupe.protocol.modal.ImageJoinStreamingResponse;
import dev.troupe.protocol.modal.TaskLogs;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ImagesServiceTest {

  private static final ImageFacts FACTS =
      new ImageFacts("Python 3.11.12", "/root", "glibc 2.36", "2025.06");

  private final Harness harness = new Harness();
  private final List<Layer> ensured = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void answersAtOnceForAnImageThatIsBuilt() {
    ensuring(new ImageReply.Built(FACTS));

    ImageGetOrCreateResponse answer = get(debian());

    assertThat(answer.getResult().getStatus()).isEqualTo(GenericStatus.GENERIC_STATUS_SUCCESS);
    assertThat(answer.getMetadata().getImageBuilderVersion()).isEqualTo("2025.06");
    assertThat(answer.getMetadata().getPythonVersionInfo()).isEqualTo("Python 3.11.12");
  }

  @Test
  void givesNoResultWhileAnImageIsBeingBuilt() {
    ensuring(new ImageReply.Building());

    assertThat(get(debian()).hasResult()).isFalse();
  }

  @Test
  void namesEqualDefinitionsAlike() {
    ensuring(new ImageReply.Building());

    String one = get(debian()).getImageId();

    assertThat(get(debian()).getImageId()).isEqualTo(one).startsWith("im-");
    assertThat(get(debian().setVersion("x")).getImageId()).isNotEqualTo(one);
    assertThat(
            harness
                .call(
                    ImageGetOrCreateResponse.class,
                    Harness.TOKEN,
                    "ImageGetOrCreate",
                    ImageGetOrCreateRequest.newBuilder()
                        .setImage(debian())
                        .setBuilderVersion("2024.10")
                        .build())
                .getImageId())
        .isNotEqualTo(one);
  }

  @Test
  void aForcedBuildIsAnImageOfItsOwnThatIsSharedWhileItIsUnderWay() {
    Map<String, ImageId> renewed = new ConcurrentHashMap<>();
    Set<String> over = ConcurrentHashMap.newKeySet();
    harness.entity(
        ImageProtocol.KEY,
        (id, command) -> {
          if (command instanceof Renew(var by, var ended, var replyTo)) {
            ImageId present = renewed.getOrDefault(id, by);
            ImageId stands = present.equals(ended) ? by : present;
            renewed.put(id, stands);
            replyTo.tell(new RenewedBy(stands));
          } else if (command instanceof Describe(var replyTo)) {
            replyTo.tell(
                over.contains(id) ? new ImageReply.Built(FACTS) : new ImageReply.Building());
          } else if (command instanceof Ensure(var layer, var replyTo)) {
            ensured.add(layer);
            ImageId by = renewed.get(id);
            replyTo.tell(by == null ? new ImageReply.Building() : new RenewedBy(by));
          }
        });
    String plain = get(debian()).getImageId();

    String first = force("one").getImageId();
    assertThat(first).isNotEqualTo(plain);
    assertThat(ensured.getLast().anew()).isTrue();
    assertThat(force("two").getImageId()).isEqualTo(first);
    over.add(first);
    String second = force("three").getImageId();
    assertThat(second).isNotEqualTo(first).isNotEqualTo(plain);
    assertThat(get(debian()).getImageId()).isEqualTo(second);
  }

  private ImageGetOrCreateResponse force(String key) {
    return harness.call(
        ImageGetOrCreateResponse.class,
        Harness.TOKEN,
        "ImageGetOrCreate",
        key,
        ImageGetOrCreateRequest.newBuilder()
            .setImage(debian())
            .setBuilderVersion("2025.06")
            .setForceBuild(true)
            .build());
  }

  @Test
  void standsOnTheImageBelow() {
    ensuring(new ImageReply.Building());
    String below = get(debian()).getImageId();

    get(
        Image.newBuilder()
            .addBaseImages(BaseImage.newBuilder().setDockerTag("base").setImageId(below))
            .addDockerfileCommands("FROM base")
            .addDockerfileCommands("ENV A=1"));

    assertThat(ensured.getLast().base()).hasToString(below);
  }

  @Test
  void refusesABuildThatIsNotServedBeforeItBegins() {
    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class,
            () ->
                get(
                    Image.newBuilder()
                        .addDockerfileCommands("FROM python:3.11-slim")
                        .addDockerfileCommands("RUN --mount=type=ssh true")));

    assertThat(failure.code()).isEqualTo(StatusCode.UNIMPLEMENTED);
    assertThat(ensured).isEmpty();
  }

  @Test
  void streamsTheBuildToItsEnd() throws Exception {
    harness.entity(
        ImageProtocol.KEY,
        (_, command) -> {
          if (command instanceof Join(var after, _, var replyTo)) {
            replyTo.tell(
                after == 0
                    ? new Progress(List.of(line(1, "Step 1\n"), line(2, "Step 2\n")), 2, null)
                    : new Progress(List.of(line(3, "done\n")), 3, new ImageReply.Built(FACTS)));
          }
        });

    List<ImageJoinStreamingResponse> responses = join("");

    assertThat(responses.stream().flatMap(one -> one.getTaskLogsList().stream()))
        .extracting(TaskLogs::getData)
        .containsExactly("Step 1\n", "Step 2\n", "done\n");
    assertThat(responses.getLast().getEof()).isTrue();
    assertThat(responses.getLast().getResult().getStatus())
        .isEqualTo(GenericStatus.GENERIC_STATUS_SUCCESS);
    assertThat(responses.getFirst().getEntryId()).isEqualTo("2");
    assertThat(join("2")).hasSize(1);
  }

  @Test
  void saysWhyABuildFailed() throws Exception {
    harness.entity(
        ImageProtocol.KEY,
        (_, command) -> {
          if (command instanceof Join join) {
            join.replyTo()
                .tell(new Progress(List.of(), 0, new ImageReply.Failed("step 2 exited with 1")));
          }
        });

    ImageJoinStreamingResponse last = join("").getLast();

    assertThat(last.getResult().getStatus()).isEqualTo(GenericStatus.GENERIC_STATUS_FAILURE);
    assertThat(last.getResult().getException()).isEqualTo("step 2 exited with 1");
  }

  @Test
  void namesWhereTheLinesOfEachLayersBuildAre() {
    Layer below = new Layer(new ImageId("im-1"), null, new byte[0], "2025.06", null, false);
    Layer above =
        new Layer(new ImageId("im-2"), below.image(), new byte[0], "2025.06", null, false);
    Run run = new Run("im-2-1", harness.clock.instant(), harness.clock.instant().plusSeconds(5));
    harness.entity(
        ImageProtocol.KEY,
        (id, command) -> {
          if (command instanceof GetChain(var replyTo)) {
            replyTo.tell(new Chain(id.equals("im-2") ? List.of(below, above) : List.of()));
          } else if (command instanceof GetRun(var replyTo)) {
            replyTo.tell(new LastRun(id.equals("im-2") ? run : null));
          }
        });

    assertThat(chain("im-2").getBuildStepsList())
        .containsExactly(
            ImageBuildStep.newBuilder()
                .setImageId("im-2")
                .setStartedAt(Timestamp.newBuilder().setSeconds(run.since().getEpochSecond()))
                .setFinishedAt(Timestamp.newBuilder().setSeconds(run.until().getEpochSecond()))
                .setBuilderAppId("im-2")
                .setBuilderTaskId(Run.task("im-2-1").value())
                .build());
    assertThat(catchThrowableOfType(RpcFailure.class, () -> chain("im-3")).code())
        .isEqualTo(StatusCode.NOT_FOUND);
  }

  private ImageBuildChainGetResponse chain(String image) {
    return harness.call(
        ImageBuildChainGetResponse.class,
        Harness.TOKEN,
        "ImageBuildChainGet",
        ImageBuildChainGetRequest.newBuilder().setImageId(image).build());
  }

  private List<ImageJoinStreamingResponse> join(String lastEntryId) throws Exception {
    return harness.stream(
            ImageJoinStreamingResponse.class,
            Harness.TOKEN,
            "ImageJoinStreaming",
            ImageJoinStreamingRequest.newBuilder()
                .setImageId("im-0000000000000000000001")
                .setTimeout(20)
                .setLastEntryId(lastEntryId)
                .build())
        .runWith(Sink.seq(), harness.testKit.system())
        .toCompletableFuture()
        .get(20, java.util.concurrent.TimeUnit.SECONDS);
  }

  private Line line(long number, String text) {
    return new Line(number, harness.clock.instant(), 1, text);
  }

  private void ensuring(ImageReply reply) {
    harness.entity(
        ImageProtocol.KEY,
        (_, command) -> {
          if (command instanceof Ensure(var layer, var replyTo)) {
            ensured.add(layer);
            replyTo.tell(reply);
          }
        });
  }

  private ImageGetOrCreateResponse get(Image.Builder image) {
    return harness.call(
        ImageGetOrCreateResponse.class,
        Harness.TOKEN,
        "ImageGetOrCreate",
        ImageGetOrCreateRequest.newBuilder().setImage(image).setBuilderVersion("2025.06").build());
  }

  private static Image.Builder debian() {
    return Image.newBuilder()
        .addDockerfileCommands("FROM python:3.11.12-slim-bookworm")
        .addDockerfileCommands("RUN apt-get update");
  }
}
