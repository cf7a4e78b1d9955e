package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import com.google.protobuf.StringValue;
import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.Attribute;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.StopApp;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretProtocol;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.AppListRequest;
import dev.troupe.protocol.modal.AppListResponse;
import dev.troupe.protocol.modal.EnvironmentCreateRequest;
import dev.troupe.protocol.modal.EnvironmentDeleteRequest;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateRequest;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateResponse;
import dev.troupe.protocol.modal.EnvironmentListItem;
import dev.troupe.protocol.modal.EnvironmentListResponse;
import dev.troupe.protocol.modal.EnvironmentType;
import dev.troupe.protocol.modal.EnvironmentUpdateRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EnvironmentsServiceTest {

  private final Harness harness = new Harness();
  private final List<String> ended = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void isMadeOnceAndTheRepeatOfTheRequestIsNoSecondOne() {
    create("dev", "one");
    create("dev", "one");

    assertThat(names()).containsExactly("main", "dev");
    refused(StatusCode.ALREADY_EXISTS, "'dev'", () -> create("dev", "two"));
    refused(StatusCode.ALREADY_EXISTS, "'main'", () -> create("main", "three"));
  }

  @Test
  void refusesNamesThatCanNotBe() {
    for (String name : List.of("a b", "-a", "a.b", "EN-1", "a/b", "a".repeat(65))) {
      refused(StatusCode.INVALID_ARGUMENT, "can't be the name", () -> create(name, name));
    }
  }

  @Test
  void saysWhatIsNotServed() {
    refused(
        StatusCode.UNIMPLEMENTED,
        "roles",
        () -> call("EnvironmentCreate", EnvironmentCreateRequest.newBuilder().setIsManaged(true)));
    refused(
        StatusCode.UNIMPLEMENTED,
        "public",
        () ->
            call(
                "EnvironmentCreate",
                EnvironmentCreateRequest.newBuilder()
                    .setEnvironmentType(EnvironmentType.ENVIRONMENT_TYPE_PUBLIC)));
    refused(
        StatusCode.UNIMPLEMENTED,
        "--set-web-suffix",
        () -> update(EnvironmentUpdateRequest.newBuilder().setWebSuffix(StringValue.of("x"))));
  }

  @Test
  void underAnotherNameHasWhatItHadAndTheOldNameIsFree() {
    create("dev", "one");
    list(Kind.APP, "dev", "shop", "ap-1", Phase.DEPLOYED);
    update(version("dev", "2024.10"));

    assertThat(rename("dev", "prod", "two").getName()).isEqualTo("prod");
    assertThat(rename("dev", "prod", "two").getName()).as("a repeat").isEqualTo("prod");

    assertThat(names()).containsExactly("main", "prod");
    assertThat(apps("prod")).containsExactly("ap-1 in prod");
    assertThat(builderVersion("prod")).isEqualTo("2024.10");
    refused(StatusCode.NOT_FOUND, "'dev'", () -> apps("dev"));
    refused(StatusCode.NOT_FOUND, "'dev'", () -> rename("dev", "prod", "three"));

    create("dev", "four");
    assertThat(apps("dev")).isEmpty();
    assertThat(idOf("dev")).isNotEqualTo(idOf("prod"));
    refused(StatusCode.ALREADY_EXISTS, "'prod'", () -> rename("dev", "prod", "five"));
  }

  @Test
  void ofManyThatHadOneNameEachKeepsItsOwn() {
    for (int i = 0; i < 3; i++) {
      create("dev", "make " + i);
      rename("dev", "dev-" + i, "rename " + i);
    }
    create("dev", "the last");

    assertThat(List.of(idOf("dev-0"), idOf("dev-1"), idOf("dev-2"), idOf("dev")))
        .doesNotHaveDuplicates();
    obey();
    delete("dev-1");
    rename("dev-2", "dev-1", "once more");
    assertThat(names()).containsExactlyInAnyOrder("main", "dev", "dev-0", "dev-1");
  }

  @Test
  void isFoundByItsContainersUnderEachNameItHadAndByOthersUnderItsOwn() {
    create("dev", "one");
    list(Kind.APP, "dev", "shop", "ap-1", Phase.DEPLOYED);
    rename("dev", "prod", "two");
    create("dev", "three");
    Caller.Task container =
        new Caller.Task(
            Harness.TASK.task(), Harness.TASK.function(), Harness.TASK.app(), "dev", "");

    for (String name : List.of("", "dev", "prod")) {
      assertThat(apps(container, name)).containsExactly("ap-1 in prod");
    }
    refused(StatusCode.PERMISSION_DENIED, "'prod'", () -> apps(container, "main"));
    refused(StatusCode.PERMISSION_DENIED, "'main'", () -> apps(Harness.TASK, "dev"));
  }

  @Test
  void itsNewNameMustFit() {
    create("dev", "one");
    refused(StatusCode.INVALID_ARGUMENT, "can't be the name", () -> rename("dev", "a b", "two"));
    refused(StatusCode.ALREADY_EXISTS, "'main'", () -> rename("dev", "main", "three"));
    refused(StatusCode.FAILED_PRECONDITION, "default", () -> rename("main", "prod", "four"));
    refused(StatusCode.NOT_FOUND, "'test'", () -> rename("test", "prod", "five"));
  }

  @Test
  void keepsItsImageBuilderVersionUntilThatIsTakenAway() {
    create("dev", "one");
    for (String name : List.of("dev", "main")) {
      assertThat(update(version(name, "2024.10")).getImageBuilderVersion()).isEqualTo("2024.10");
      assertThat(builderVersion(name)).isEqualTo("2024.10");
      assertThat(update(version(name, "")).hasImageBuilderVersion()).isFalse();
      assertThat(builderVersion(name)).isEqualTo("2025.06");
    }
    assertThat(names()).containsExactly("main", "dev");
    refused(StatusCode.INVALID_ARGUMENT, "'new'", () -> update(version("dev", "new")));
    refused(StatusCode.NOT_FOUND, "'test'", () -> update(version("test", "2024.10")));
  }

  @Test
  void takesItsAppsAndSecretsWithItAndNothingElse() {
    obey();
    create("dev", "one");
    list(Kind.APP, "dev", "live", "ap-1", Phase.DEPLOYED);
    list(Kind.APP, "dev", "over", "ap-2", Phase.STOPPED);
    list(Kind.APP, "main", "live", "ap-3", Phase.DEPLOYED);
    list(Kind.SECRET, "dev", "key", "st-1", Phase.DEPLOYED);
    list(Kind.SECRET, "main", "key", "st-2", Phase.DEPLOYED);

    delete("dev");

    assertThat(ended).containsExactly("ap-1", "st-1");
    assertThat(names()).containsExactly("main");
    refused(StatusCode.NOT_FOUND, "'dev'", () -> delete("dev"));
  }

  @Test
  void aNewOneOfTheSameNameIsEmpty() {
    obey();
    create("dev", "one");
    list(Kind.APP, "dev", "old", "ap-1", Phase.STOPPED);
    delete("dev");
    harness.clock.advance(Duration.ofSeconds(1));
    create("dev", "two");

    assertThat(
            harness
                .call(
                    AppListResponse.class,
                    Harness.TOKEN,
                    "AppList",
                    AppListRequest.newBuilder().setEnvironmentName("dev").build())
                .getAppsList())
        .isEmpty();
  }

  @Test
  void aDeletionThatBrokeOffMakesItUnusableUntilItIsRepeated() {
    create("dev", "one");
    harness
        .directory
        .update(Kind.ENVIRONMENT, idOf("dev"), Map.of("deleting", "true"))
        .toCompletableFuture()
        .join();

    refused(StatusCode.NOT_FOUND, "'dev'", () -> builderVersion("dev"));
    refused(StatusCode.FAILED_PRECONDITION, "being deleted", () -> create("dev", "two"));
    assertThat(names()).containsExactly("main");

    delete("dev");
    create("dev", "three");
    assertThat(names()).containsExactly("main", "dev");
  }

  @Test
  void theDefaultOneStays() {
    refused(StatusCode.FAILED_PRECONDITION, "default", () -> delete("main"));
  }

  // ----

  /** Apps and secrets end as they are told. */
  private void obey() {
    harness.<AppProtocol.Command>entity(
        AppProtocol.KEY,
        (id, command) -> {
          if (command instanceof StopApp stop) {
            ended.add(id);
            stop.replyTo().tell(new AppReply.Ended(new AppId(id), stop.source()));
          }
        });
    harness.<SecretProtocol.Command>entity(
        SecretProtocol.KEY,
        (id, command) -> {
          if (command instanceof SecretProtocol.Delete(var replyTo)) {
            ended.add(id);
            replyTo.tell(new SecretReply.NoSecret(new SecretId(id), ""));
          }
        });
  }

  private void list(Kind kind, String environment, String name, String id, Phase phase) {
    harness
        .directory
        .put(
            new Entry(
                kind,
                environment,
                name,
                id,
                harness.clock.instant(),
                Map.of(Attribute.PHASE, phase.name())))
        .toCompletableFuture()
        .join();
  }

  private String idOf(String name) {
    return harness
        .directory
        .find(Kind.ENVIRONMENT, "", name)
        .toCompletableFuture()
        .join()
        .orElseThrow()
        .id();
  }

  private void create(String name, String key) {
    harness.call(
        Empty.class,
        Harness.TOKEN,
        "EnvironmentCreate",
        key,
        EnvironmentCreateRequest.newBuilder().setName(name).build());
  }

  private void delete(String name) {
    call("EnvironmentDelete", EnvironmentDeleteRequest.newBuilder().setName(name));
  }

  private void call(String rpc, Message.Builder request) {
    harness.call(Empty.class, Harness.TOKEN, rpc, request.build());
  }

  private EnvironmentListItem update(EnvironmentUpdateRequest.Builder request) {
    return harness.call(
        EnvironmentListItem.class, Harness.TOKEN, "EnvironmentUpdate", request.build());
  }

  private EnvironmentListItem rename(String name, String newName, String key) {
    return harness.call(
        EnvironmentListItem.class,
        Harness.TOKEN,
        "EnvironmentUpdate",
        key,
        EnvironmentUpdateRequest.newBuilder()
            .setCurrentName(name)
            .setName(StringValue.of(newName))
            .build());
  }

  private List<String> apps(String environment) {
    return apps(Harness.TOKEN, environment);
  }

  private List<String> apps(Caller caller, String environment) {
    return harness
        .call(
            AppListResponse.class,
            caller,
            "AppList",
            AppListRequest.newBuilder().setEnvironmentName(environment).build())
        .getAppsList()
        .stream()
        .map(app -> app.getAppId() + " in " + app.getMetadata().getEnvironmentName())
        .toList();
  }

  private static EnvironmentUpdateRequest.Builder version(String name, String version) {
    return EnvironmentUpdateRequest.newBuilder()
        .setCurrentName(name)
        .setImageBuilderVersion(version);
  }

  private String builderVersion(String name) {
    return harness
        .call(
            EnvironmentGetOrCreateResponse.class,
            Harness.TOKEN,
            "EnvironmentGetOrCreate",
            EnvironmentGetOrCreateRequest.newBuilder().setDeploymentName(name).build())
        .getMetadata()
        .getSettings()
        .getImageBuilderVersion();
  }

  private List<String> names() {
    return harness
        .call(
            EnvironmentListResponse.class,
            Harness.TOKEN,
            "EnvironmentList",
            Empty.getDefaultInstance())
        .getItemsList()
        .stream()
        .map(EnvironmentListItem::getName)
        .toList();
  }

  private static void refused(StatusCode code, String words, Runnable call) {
    RpcFailure failure = catchThrowableOfType(RpcFailure.class, call::run);
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure.description()).contains(words);
  }
}
