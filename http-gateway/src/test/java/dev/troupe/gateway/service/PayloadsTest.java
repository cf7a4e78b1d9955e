package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.id.BlobId;
import dev.troupe.gateway.service.Payloads.Room;
import dev.troupe.gateway.testing.InMemoryBlobStore;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.GenericResult;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PayloadsTest {

  private static final BlobId NAME = new BlobId("bl-0000000000000000000001");
  private static final BlobId UPLOADED = new BlobId("bl-0000000000000000000002");

  private final InMemoryBlobStore blobs = new InMemoryBlobStore();
  private final Payloads payloads = new Payloads(blobs, 100);

  @Test
  void keepsASmallInputInline() throws IOException {
    FunctionInput input = input(50);

    Payload payload = payloads.keep(input, () -> NAME);

    assertThat(Payloads.isInline(payload)).isTrue();
    assertThat(payloads.input(payload, room(0))).isEqualTo(input);
    assertThat(blobs.payloads()).isEmpty();
  }

  @Test
  void liftsTheDataOutOfABigInput() throws IOException {
    FunctionInput input = input(5_000);

    Payload payload = payloads.keep(input, () -> NAME);

    assertThat(payload.attached()).isEqualTo(NAME);
    assertThat(payload.sizeBytes()).isLessThan(300);
    assertThat(payloads.input(payload, room(5_000))).isEqualTo(input);
  }

  @Test
  void leavesDataInTheirBlobWhereThereIsNoRoom() throws IOException {
    Payload payload = payloads.keep(input(5_000), () -> NAME);

    FunctionInput read = payloads.input(payload, room(4_999));

    assertThat(read.getArgsBlobId()).isEqualTo(NAME.value());
    assertThat(read.getMethodName()).isEqualTo("method");
  }

  @Test
  void leavesDataInTheirBlobWhileTheStoreIsAway() throws IOException {
    Payload payload = payloads.keep(input(5_000), () -> NAME);

    blobs.away(true);
    assertThat(payloads.input(payload, room(5_000)).getArgsBlobId()).isEqualTo(NAME.value());
    blobs.away(false);
    assertThat(payloads.input(payload, room(5_000))).isEqualTo(input(5_000));
  }

  @Test
  void sharesTheRoomOfAnAnswer() throws IOException {
    Payload payload = payloads.keep(input(600), () -> NAME);
    Room room = room(1_000);

    assertThat(payloads.input(payload, room).hasArgs()).isTrue();
    assertThat(payloads.input(payload, room).hasArgsBlobId()).isTrue();
  }

  @Test
  void attachesABlobThatTheClientSent() throws IOException {
    blobs.putPayload(UPLOADED, new ByteArrayInputStream(new byte[7]));
    FunctionInput input = FunctionInput.newBuilder().setArgsBlobId(UPLOADED.value()).build();

    Payload payload = payloads.keep(input, () -> NAME);

    assertThat(payload.attached()).isEqualTo(UPLOADED);
    assertThat(payloads.input(payload, room(100)).getArgs().size()).isEqualTo(7);
    assertThat(blobs.payloads()).containsExactly(UPLOADED);
  }

  @Test
  void liftsTheDataOutOfABigResult() throws IOException {
    GenericResult result =
        GenericResult.newBuilder().setData(ByteString.copyFrom(new byte[5_000])).build();

    Payload payload = payloads.keep(result, () -> NAME);

    assertThat(payload.attached()).isEqualTo(NAME);
    assertThat(payloads.result(payload, room(10_000))).isEqualTo(result);
  }

  @Test
  void storesAResultWholeWhoseTracebackIsBig() throws IOException {
    GenericResult result =
        GenericResult.newBuilder()
            .setTraceback("x".repeat(5_000))
            .setDataBlobId(UPLOADED.value())
            .build();

    Payload payload = payloads.keep(result, () -> NAME);

    assertThat(payload.stored()).isEqualTo(NAME);
    assertThat(payload.attached()).isEqualTo(UPLOADED);
    assertThat(payloads.result(payload, room(0))).isEqualTo(result);
  }

  private static Room room(long bytes) {
    return new Room(bytes, bytes);
  }

  private static FunctionInput input(int size) {
    return FunctionInput.newBuilder()
        .setArgs(ByteString.copyFrom(new byte[size]))
        .setMethodName("method")
        .build();
  }
}
