package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.troupe.actors.id.BlobId;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.DeploymentNamespace;
import dev.troupe.protocol.modal.MountBatchedCheckExistenceRequest;
import dev.troupe.protocol.modal.MountBatchedCheckExistenceResponse;
import dev.troupe.protocol.modal.MountFile;
import dev.troupe.protocol.modal.MountGetOrCreateRequest;
import dev.troupe.protocol.modal.MountGetOrCreateResponse;
import dev.troupe.protocol.modal.MountPutFileRequest;
import dev.troupe.protocol.modal.MountPutFileResponse;
import dev.troupe.protocol.modal.ObjectCreationType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MountsServiceTest {

  private static final byte[] HELLO = "print('hello')".getBytes(StandardCharsets.UTF_8);
  private static final String DIGEST = Canonical.sha256Hex(HELLO);
  private static final BlobId BLOB = new BlobId("bl-0000000000000000000001");

  private final Harness harness = new Harness();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void asksForWhatIsMissingAndTakesIt() {
    assertThat(missing()).isOne();

    assertThat(put(data(HELLO)).getExists()).isTrue();

    assertThat(missing()).isZero();
  }

  @Test
  void takesABigFileFromItsBlob() throws IOException {
    harness.blobs.putPayload(BLOB, new ByteArrayInputStream(HELLO));
    MountPutFileRequest.Builder request =
        MountPutFileRequest.newBuilder().setDataBlobId(BLOB.value());

    assertThat(put(request).getExists()).isTrue();
    assertThat(harness.blobs.payloads()).isEmpty();
    assertThat(put(request).getExists()).as("a repeat").isTrue();
  }

  @Test
  void refusesAFileThatIsNotWhatItWasAnnouncedAs() {
    RpcFailure failure =
        catchThrowableOfType(RpcFailure.class, () -> put(data(new byte[] {1, 2, 3})));

    assertThat(failure.code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  @Test
  void makesOneMountOfEqualLists() {
    put(data(HELLO));

    String one = mount(file("/root/a.py"), file("/root/b.py")).getMountId();
    String same = mount(file("/root/b.py"), file("/root/a.py")).getMountId();
    String other = mount(file("/root/a.py")).getMountId();

    assertThat(same).isEqualTo(one).startsWith("mo-");
    assertThat(other).isNotEqualTo(one);
  }

  @Test
  void makesNoMountOfFilesThatWereNotSent() {
    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> mount(file("/root/a.py")));

    assertThat(failure.code()).isEqualTo(StatusCode.FAILED_PRECONDITION);
    assertThat(failure.description()).contains("/root/a.py");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "/root/../../etc/passwd", "..", "/root/", "/a\0b"})
  void refusesAPathThatLeadsElsewhere(String path) {
    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> mount(file(path)));

    assertThat(failure.code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  @Test
  void findsAMountByItsName() {
    put(data(HELLO));
    String made =
        get(MountGetOrCreateRequest.newBuilder()
                .setDeploymentName("code")
                .setObjectCreationType(ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING)
                .addFiles(file("/root/a.py")))
            .getMountId();

    assertThat(get(MountGetOrCreateRequest.newBuilder().setDeploymentName("code")).getMountId())
        .isEqualTo(made);
  }

  @Test
  void hasTheClientsOwnPackageOfAnyVersion() {
    assertThat(global("modal-client-mount-1.6.4").getMountId())
        .isEqualTo(global("modal-client-mount-1.5.4").getMountId());
  }

  @Test
  void hasAMountForEachPythonThatNeedsNoSystem() {
    String python = global("python-build-standalone.20230826.3.11.5-gnu").getMountId();

    assertThat(python)
        .isNotEqualTo(global("python-build-standalone.20230826.3.10.13-gnu").getMountId())
        .isNotEqualTo(global("modal-client-mount-1.6.4").getMountId());
  }

  @Test
  void saysWhichGlobalMountsItDoesNotHave() {
    RpcFailure other = catchThrowableOfType(RpcFailure.class, () -> global("something"));

    assertThat(other.code()).isEqualTo(StatusCode.NOT_FOUND);
  }

  private int missing() {
    return harness
        .call(
            MountBatchedCheckExistenceResponse.class,
            Harness.TOKEN,
            "MountBatchedCheckExistence",
            MountBatchedCheckExistenceRequest.newBuilder().addSha256HexHashes(DIGEST).build())
        .getMissingSha256HexHashesCount();
  }

  private MountPutFileResponse put(MountPutFileRequest.Builder request) {
    return harness.call(
        MountPutFileResponse.class,
        Harness.TOKEN,
        "MountPutFile",
        request.setSha256Hex(DIGEST).build());
  }

  private static MountPutFileRequest.Builder data(byte[] data) {
    return MountPutFileRequest.newBuilder().setData(ByteString.copyFrom(data));
  }

  private MountGetOrCreateResponse mount(MountFile... files) {
    return get(
        MountGetOrCreateRequest.newBuilder()
            .setObjectCreationType(ObjectCreationType.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP)
            .addAllFiles(java.util.List.of(files)));
  }

  private MountGetOrCreateResponse global(String name) {
    return get(
        MountGetOrCreateRequest.newBuilder()
            .setDeploymentName(name)
            .setNamespace(DeploymentNamespace.DEPLOYMENT_NAMESPACE_GLOBAL));
  }

  private MountGetOrCreateResponse get(MountGetOrCreateRequest.Builder request) {
    return harness.call(
        MountGetOrCreateResponse.class, Harness.TOKEN, "MountGetOrCreate", request.build());
  }

  private static MountFile file(String path) {
    return MountFile.newBuilder().setFilename(path).setSha256Hex(DIGEST).setMode(0100644).build();
  }
}
