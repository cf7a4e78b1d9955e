package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Empty;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.AuthTokenGetRequest;
import dev.troupe.protocol.modal.AuthTokenGetResponse;
import dev.troupe.protocol.modal.BlobCreateRequest;
import dev.troupe.protocol.modal.BlobCreateResponse;
import dev.troupe.protocol.modal.BlobGetRequest;
import dev.troupe.protocol.modal.BlobGetResponse;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateRequest;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateResponse;
import dev.troupe.protocol.modal.EnvironmentListItem;
import dev.troupe.protocol.modal.EnvironmentListResponse;
import dev.troupe.protocol.modal.ObjectCreationType;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WorkspaceServiceTest {

  private final Harness harness = new Harness();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void givesATokenOfThreePartsThatEnds() {
    String token =
        harness
            .call(
                AuthTokenGetResponse.class,
                Harness.TOKEN,
                "AuthTokenGet",
                AuthTokenGetRequest.getDefaultInstance())
            .getToken();

    assertThat(token.split("\\.", -1)).hasSize(3);
    assertThat(
            new String(
                Base64.getUrlDecoder().decode(token.split("\\.", -1)[1]), StandardCharsets.UTF_8))
        .contains("\"exp\":" + (harness.clock.instant().getEpochSecond() + 3_600));
  }

  @Test
  void hasTheDefaultEnvironmentFromTheStart() {
    EnvironmentGetOrCreateResponse answer = environment("", false);

    assertThat(answer.getMetadata().getName()).isEqualTo("main");
    assertThat(answer.getMetadata().getSettings().getImageBuilderVersion()).isEqualTo("2025.06");
    assertThat(answer.getEnvironmentId()).startsWith("en-");
  }

  @Test
  void makesAnEnvironmentWhereThatIsAskedFor() {
    EnvironmentGetOrCreateResponse made = environment("dev", true);

    assertThat(environment("dev", false)).isEqualTo(made);
    assertThat(
            harness
                .call(
                    EnvironmentListResponse.class,
                    Harness.TOKEN,
                    "EnvironmentList",
                    Empty.getDefaultInstance())
                .getItemsList())
        .extracting(EnvironmentListItem::getName)
        .containsExactly("main", "dev");
  }

  @Test
  void saysWhichEnvironmentIsMissing() {
    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> environment("dev", false));

    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(failure.description()).contains("'dev'");
  }

  @Test
  void refusesANameThatLooksLikeAnId() {
    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> environment("en-1", true));

    assertThat(failure.code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  @Test
  void offersAPlaceForABlobAndFindsNoneThatWasNotSent() {
    BlobCreateResponse place =
        harness.call(
            BlobCreateResponse.class,
            Harness.TASK,
            "BlobCreate",
            BlobCreateRequest.newBuilder().setContentLength(1_000).build());

    assertThat(place.getMultiparts().getItems(0).getUploadUrls(0))
        .startsWith("http://troupe.test:8484/");
    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class,
            () ->
                harness.call(
                    BlobGetResponse.class,
                    Harness.TOKEN,
                    "BlobGet",
                    BlobGetRequest.newBuilder().setBlobId(place.getBlobIds(0)).build()));
    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
  }

  @Test
  void refusesABlobOverTheLimit() {
    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class,
            () ->
                harness.call(
                    BlobCreateResponse.class,
                    Harness.TOKEN,
                    "BlobCreate",
                    BlobCreateRequest.newBuilder().setContentLength(2 << 20).build()));

    assertThat(failure.code()).isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
  }

  private EnvironmentGetOrCreateResponse environment(String name, boolean create) {
    return harness.call(
        EnvironmentGetOrCreateResponse.class,
        Harness.TOKEN,
        "EnvironmentGetOrCreate",
        EnvironmentGetOrCreateRequest.newBuilder()
            .setDeploymentName(name)
            .setObjectCreationType(
                create
                    ? ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING
                    : ObjectCreationType.OBJECT_CREATION_TYPE_UNSPECIFIED)
            .build());
  }
}
