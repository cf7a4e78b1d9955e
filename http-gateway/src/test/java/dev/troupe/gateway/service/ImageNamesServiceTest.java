package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.image.ImageProtocol.Describe;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.imagename.ImageNameEvent;
import dev.troupe.actors.imagename.ImageNameEvent.ImagePublished;
import dev.troupe.actors.imagename.ImageNameProtocol;
import dev.troupe.actors.imagename.ImageNameProtocol.Command;
import dev.troupe.actors.imagename.ImageNameProtocol.Delete;
import dev.troupe.actors.imagename.ImageNameProtocol.GetHistory;
import dev.troupe.actors.imagename.ImageNameProtocol.Publish;
import dev.troupe.actors.imagename.ImageNameProtocol.Read;
import dev.troupe.actors.imagename.ImageNameState;
import dev.troupe.cluster.Decision;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.ImageGetByTagRequest;
import dev.troupe.protocol.modal.ImageGetByTagResponse;
import dev.troupe.protocol.modal.ImageListTagsItem;
import dev.troupe.protocol.modal.ImageListTagsRequest;
import dev.troupe.protocol.modal.ImageListTagsResponse;
import dev.troupe.protocol.modal.ImageNameDeleteRequest;
import dev.troupe.protocol.modal.ImagePublishRequest;
import dev.troupe.protocol.modal.ImagePublishResponse;
import dev.troupe.protocol.modal.ImageTagRevisionsItem;
import dev.troupe.protocol.modal.ImageTagRevisionsRequest;
import dev.troupe.protocol.modal.ImageTagRevisionsResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageNamesServiceTest {

  private static final ImageReply BUILT =
      new ImageReply.Built(new ImageFacts("Python 3.11.12", "/root", "glibc 2.36", "2025.06"));

  private final Harness harness = new Harness();
  private final Map<String, ImageReply> images =
      new ConcurrentHashMap<>(Map.of("im-1", BUILT, "im-2", BUILT));
  private final Map<String, ImageNameState> names = new ConcurrentHashMap<>();

  @BeforeEach
  void entities() {
    harness.entity(
        ImageProtocol.KEY,
        (id, command) -> {
          if (command instanceof Describe(var replyTo)) {
            replyTo.tell(images.getOrDefault(id, new ImageReply.Unknown()));
          }
        });
    harness.entity(ImageNameProtocol.KEY, this::hear);
  }

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void aNameStandsForWhatWasPublishedLast() {
    publish("tools", "im-1", "key 1");
    ImagePublishResponse second = publish("main/tools:latest", "im-2", "key 2");

    assertThat(second.getImageId()).isEqualTo("im-2");
    assertThat(get("tools")).isEqualTo("im-2");
    assertThat(history("tools", 0, "").getItemsList())
        .extracting(ImageTagRevisionsItem::getImageId)
        .containsExactly("im-2", "im-1");
    assertThat(history("tools", 0, "").getItems(0).getPublishedBy()).isEqualTo("ak-1");
  }

  @Test
  void aRepeatMakesNoSecondRevision() {
    assertThat(publish("tools", "im-1", "key 1")).isEqualTo(publish("tools", "im-1", "key 1"));
    assertThat(history("tools", 0, "").getItemsList()).hasSize(1);
  }

  @Test
  void onlyAnImageThatIsBuiltIsPublished() {
    images.put("im-3", new ImageReply.Building());
    images.put("im-4", new ImageReply.Failed("step 2 exited with 1"));

    assertThat(failure(() -> publish("tools", "im-3", "1")).code())
        .isEqualTo(StatusCode.FAILED_PRECONDITION);
    assertThat(failure(() -> publish("tools", "im-4", "2")).code())
        .isEqualTo(StatusCode.FAILED_PRECONDITION);
    assertThat(failure(() -> publish("tools", "im-5", "3")).code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(failure(() -> publish("tools", "app", "4")).code())
        .isEqualTo(StatusCode.INVALID_ARGUMENT);
    assertThat(names).isEmpty();
  }

  @Test
  void aPublicImageIsNotServed() {
    RpcFailure failure =
        failure(
            () ->
                call(
                    ImagePublishResponse.class,
                    "ImagePublish",
                    ImagePublishRequest.newBuilder()
                        .setImageId("im-1")
                        .setTag("tools")
                        .setAllowPublic(true)
                        .build()));

    assertThat(failure.code()).isEqualTo(StatusCode.UNIMPLEMENTED);
    assertThat(names).isEmpty();
  }

  @Test
  void anUnknownNameIsNamedWithItsEnvironment() {
    RpcFailure failure = failure(() -> get("tools:v9"));

    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(failure.description()).contains("'tools:v9'", "'main'");
    assertThat(history("tools:v9", 0, "").getItemsList()).isEmpty();
    assertThat(failure(() -> get("nowhere/tools")).description()).contains("'nowhere'");
  }

  @Test
  void namesOfTwoEnvironmentsAreTwo() {
    environment("dev");
    publish("tools", "im-1", "key 1");
    publish("dev/tools", "im-2", "key 2");

    assertThat(get("main/tools")).isEqualTo("im-1");
    assertThat(get("dev/tools")).isEqualTo("im-2");
    assertThat(
            failure(
                    () ->
                        call(
                            ImageGetByTagResponse.class,
                            "ImageGetByTag",
                            ImageGetByTagRequest.newBuilder()
                                .setTag("dev/tools")
                                .setEnvironmentName("main")
                                .build()))
                .code())
        .isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  @Test
  void aContainerReachesNamesOfItsEnvironmentOnly() {
    environment("dev");
    publish("tools", "im-1", "key 1");
    publish("dev/tools", "im-2", "key 2");

    assertThat(get(Harness.TASK, "tools")).isEqualTo("im-1");
    assertThat(failure(() -> get(Harness.TASK, "dev/tools")).code())
        .isEqualTo(StatusCode.PERMISSION_DENIED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ":", "a:", ":v1", "/a", "a/b/c", "a b", "a:b:c", "im-1", "main/im-1:v1", "ä"})
  void whatIsNoNameIsRefused(String name) {
    assertThat(failure(() -> get(name)).code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  @Test
  void namesAreListedInOrderByPrefixAndPage() {
    for (String name : new String[] {"b:v2", "b:v1", "a_1:x", "c", "ab1:x"}) {
      publish(name, "im-1", name);
    }
    publish("b:v1", "im-2", "again");

    ImageListTagsResponse first = list("", 2, "", "");
    ImageListTagsResponse second = list("", 2, first.getNextPageToken(), "");
    ImageListTagsResponse last = list("", 2, second.getNextPageToken(), "");

    assertThat(tags(first)).containsExactly("a_1:x", "ab1:x");
    assertThat(tags(second)).containsExactly("b:v1", "b:v2");
    assertThat(tags(last)).containsExactly("c:latest");
    assertThat(last.getNextPageToken()).isEmpty();
    assertThat(first.getEnvironmentName()).isEqualTo("main");
    assertThat(tags(list("a_", 0, "", ""))).containsExactly("a_1:x");
    assertThat(tags(list("b:", 2, "", ""))).containsExactly("b:v1", "b:v2");
    assertThat(list("b:", 2, "", "").getNextPageToken()).isEmpty();
    assertThat(tags(list("", 0, "", "im-2"))).containsExactly("b:v1");
    assertThat(list("", 1, "", "im-1").getNextPageToken()).isEqualTo("a_1:x");
  }

  @Test
  void aHistoryComesInPages() {
    for (String key : new String[] {"1", "2", "3"}) {
      publish("tools", "im-1", key);
    }

    ImageTagRevisionsResponse first = history("tools", 2, "");
    ImageTagRevisionsResponse last = history("tools", 2, first.getNextPageToken());

    assertThat(first.getItemsList()).hasSize(2);
    assertThat(last.getItemsList()).hasSize(1);
    assertThat(last.getNextPageToken()).isEmpty();
    assertThat(first.getTag()).isEqualTo("tools:latest");
    assertThat(failure(() -> history("tools", 2, "x")).code())
        .isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  @Test
  void aDeletedNameIsForgottenWithItsHistory() {
    publish("tools:v1", "im-1", "key 1");
    var deletion = ImageNameDeleteRequest.newBuilder().setTag("main/tools:v1").build();

    call(Empty.class, "ImageNameDelete", deletion);

    assertThat(failure(() -> get("tools:v1")).code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(history("tools:v1", 0, "").getItemsList()).isEmpty();
    assertThat(failure(() -> call(Empty.class, "ImageNameDelete", deletion)).code())
        .isEqualTo(StatusCode.NOT_FOUND);
  }

  // ---- calls

  private ImagePublishResponse publish(String name, String image, String key) {
    return harness.call(
        ImagePublishResponse.class,
        Harness.TOKEN,
        "ImagePublish",
        key,
        ImagePublishRequest.newBuilder().setImageId(image).setTag(name).build());
  }

  private String get(String name) {
    return get(Harness.TOKEN, name);
  }

  private String get(Caller caller, String name) {
    return harness
        .call(
            ImageGetByTagResponse.class,
            caller,
            "ImageGetByTag",
            ImageGetByTagRequest.newBuilder().setTag(name).build())
        .getImageId();
  }

  private ImageListTagsResponse list(String prefix, int most, String token, String image) {
    return call(
        ImageListTagsResponse.class,
        "ImageListTags",
        ImageListTagsRequest.newBuilder()
            .setTagPrefix(prefix)
            .setMaxObjects(most)
            .setPageToken(token)
            .setImageId(image)
            .build());
  }

  private ImageTagRevisionsResponse history(String name, int most, String token) {
    return call(
        ImageTagRevisionsResponse.class,
        "ImageTagRevisions",
        ImageTagRevisionsRequest.newBuilder()
            .setTag(name)
            .setMaxObjects(most)
            .setPageToken(token)
            .build());
  }

  private <A extends Message> A call(Class<A> answer, String rpc, Message request) {
    return harness.call(answer, Harness.TOKEN, rpc, request);
  }

  private static RpcFailure failure(ThrowingCallable call) {
    return catchThrowableOfType(RpcFailure.class, call);
  }

  private static List<String> tags(ImageListTagsResponse page) {
    return page.getItemsList().stream().map(ImageListTagsItem::getTag).toList();
  }

  private void environment(String name) {
    harness
        .directory
        .put(new Entry(Kind.ENVIRONMENT, "", name, "en-" + name, harness.clock.instant(), Map.of()))
        .toCompletableFuture()
        .join();
  }

  // ---- the entity: its real state, and the directory beside it

  private void hear(String id, Command command) {
    ImageNameState state = names.getOrDefault(id, new ImageNameState.Unused());
    switch (command) {
      case Read(var replyTo) -> replyTo.tell(state.current());
      case GetHistory(var before, var limit, var replyTo) ->
          replyTo.tell(state.history(before, limit));
      case Delete(var replyTo) -> {
        var decision = state.delete(harness.clock.instant());
        change(id, state, decision);
        harness.directory.remove(Kind.IMAGE_NAME, id).toCompletableFuture().join();
        replyTo.tell(decision.reply());
      }
      case Publish publish -> {
        var decision =
            state.publish(
                new ImagePublished(
                    publish.environment(),
                    publish.name(),
                    publish.image(),
                    publish.revision(),
                    publish.publishedBy(),
                    harness.clock.instant()));
        change(id, state, decision);
        list(id, publish.environment(), publish.name(), publish.image());
        publish.replyTo().tell(decision.reply());
      }
      default -> throw new IllegalStateException("not expected: " + command);
    }
  }

  private void change(String id, ImageNameState state, Decision<ImageNameEvent, ?> decision) {
    ImageNameState next = state;
    for (var event : decision.events()) {
      next = next.apply(event);
    }
    names.put(id, next);
  }

  private void list(String id, String environment, String name, ImageId image) {
    harness
        .directory
        .put(
            new Entry(
                Kind.IMAGE_NAME,
                environment,
                name,
                id,
                harness.clock.instant(),
                Map.of(ImageNameProtocol.IMAGE_ATTRIBUTE, image.value())))
        .toCompletableFuture()
        .join();
  }
}
