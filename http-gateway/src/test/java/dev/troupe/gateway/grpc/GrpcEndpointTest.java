package dev.troupe.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.Int32Value;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.gateway.rpc.ClientType;
import dev.troupe.gateway.testing.EchoServer;
import dev.troupe.gateway.testing.EchoTable;
import dev.troupe.gateway.testing.RawClient;
import dev.troupe.protocol.modal.RPCRetryPolicy;
import dev.troupe.protocol.modal.RPCStatus;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The public port as a gRPC client sees it. */
class GrpcEndpointTest {

  private static EchoServer server;
  private static RawClient client;

  @BeforeAll
  static void start() {
    server = new EchoServer(256L << 20, Duration.ofSeconds(5));
    client = RawClient.of(server);
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
  }

  @Test
  void answersSmallAndLargeMessages() throws InvalidProtocolBufferException {
    Random random = new Random(1);
    for (int length : List.of(0, 1, 20_000, 3 << 20, 90 << 20)) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      byte[] answer = client.unary(EchoTable.ECHO, bytes(bytes));
      assertThat(BytesValue.parseFrom(answer).getValue().toByteArray()).isEqualTo(bytes);
    }
    assertThat(server.admission().usedBytes()).isZero();
  }

  @Test
  void answersWithStreams() {
    List<byte[]> answers = client.stream(EchoTable.STREAM, Int32Value.of(20).toByteArray());
    assertThat(answers).hasSize(20).allMatch(answer -> answer.length > 1 << 20);
  }

  @Test
  void tellsTheFailureOfAStreamBehindItsMessages() {
    ClientCall<byte[], byte[]> call =
        client.begin(EchoTable.BROKEN_STREAM, MethodType.SERVER_STREAMING);
    var answers = ClientCalls.blockingServerStreamingCall(call, new byte[0]);
    answers.next();
    answers.next();
    assertThat(failure(() -> answers.next()).getStatus().getDescription())
        .isEqualTo("no more of it");
  }

  @Test
  void refusesAWrongToken() {
    try (RawClient wrong = new RawClient(server.port(), EchoServer.TOKEN, "as-other");
        RawClient none = new RawClient(server.port(), "", "")) {
      Status status = failure(() -> wrong.unary(EchoTable.ECHO, new byte[0])).getStatus();
      assertThat(status.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(status.getDescription()).contains(EchoServer.TOKEN).contains("troupe env");
      assertThat(failure(() -> none.unary("Nonsense", new byte[0])).getStatus().getCode())
          .isEqualTo(Status.Code.UNAUTHENTICATED);
    }
  }

  @Test
  void saysWhichRpcItDoesNotServe() {
    Status known = failure(() -> client.unary("VolumePutFiles2", new byte[0])).getStatus();
    assertThat(known.getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(known.getDescription())
        .isEqualTo("Troupe does not serve VolumePutFiles2 yet (volumes).");
    Status unknown = failure(() -> client.unary("Nonsense", new byte[0])).getStatus();
    assertThat(unknown.getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(unknown.getDescription()).contains("Nonsense");
  }

  @Test
  void refusesMalformedRequests() {
    Status status = failure(() -> client.unary(EchoTable.ECHO, new byte[] {10, 99, 1})).getStatus();
    assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(status.getDescription()).contains("BlobGet is malformed");
  }

  @Test
  void refusesMessagesOverTheLimit() {
    Status status = failure(() -> client.unary(EchoTable.ECHO, new byte[101 << 20])).getStatus();
    assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(status.getDescription()).contains("101 MiB").contains("at most 100 MiB");
  }

  @Test
  void keepsAConnectionUsableAfterManyRefusals() throws InvalidProtocolBufferException {
    for (int i = 0; i < 20; i++) {
      Status status = failure(() -> client.unary("Nonsense", new byte[2 << 20])).getStatus();
      assertThat(status.getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    }
    byte[] answer = client.unary(EchoTable.ECHO, bytes(new byte[8 << 20]));
    assertThat(BytesValue.parseFrom(answer).getValue().size()).isEqualTo(8 << 20);
  }

  @Test
  void tellsWhenToComeAgain() throws InvalidProtocolBufferException {
    StatusRuntimeException failure = failure(() -> client.unary(EchoTable.FAIL, new byte[0]));
    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failure.getStatus().getDescription()).isEqualTo("grüße: 100 %");
    byte[] details =
        Objects.requireNonNull(failure.getTrailers())
            .get(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER));
    RPCStatus status = RPCStatus.parseFrom(details);
    Any detail = status.getDetails(0);
    assertThat(detail.getTypeUrl()).isEqualTo("type.modal.com/modal.client.RPCRetryPolicy");
    assertThat(detail.unpack(RPCRetryPolicy.class).getRetryAfterSecs()).isEqualTo(1.5f);
  }

  @Test
  void tellsOfABugByANumberOnly() {
    Status status =
        failure(() -> client.unary(EchoTable.FAIL, bytes("bug".getBytes(UTF_8)))).getStatus();
    assertThat(status.getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(status.getDescription()).contains("as entry ").doesNotContain("purpose");
  }

  @Test
  void givesTheHandlerWhatTheHeadersSay() throws InterruptedException {
    try (RawClient other =
        RawClient.of(server)
            .header("x-idempotency-key", "key-1")
            .header("x-modal-client-version", "1.6.4")
            .header("x-modal-client-type", "1")) {
      CompletableFuture<byte[]> answer = begin(other);
      EchoTable.Held held = server.echo().held().take();
      assertThat(held.context().idempotencyKey()).isEqualTo("key-1");
      assertThat(held.context().clientVersion()).isEqualTo("1.6.4");
      assertThat(held.context().clientType()).isEqualTo(ClientType.CLIENT);
      assertThat(held.context().timeout()).isBetween(Duration.ofSeconds(50), Duration.ofMinutes(1));
      assertThat(held.context().blobUrl()).isEqualTo("http://127.0.0.1:" + server.port());
      held.answer().complete(BytesValue.getDefaultInstance());
      assertThat(answer).succeedsWithin(Duration.ofSeconds(20));
    }
  }

  @Test
  void answersAHeldCall() throws Exception {
    CompletableFuture<byte[]> answer = begin(client);
    EchoTable.Held held = server.echo().held().take();
    CompletableFuture<BytesValue> late =
        held.answer().completeOnTimeout(BytesValue.of(ByteString.copyFromUtf8("late")), 400, MS);
    assertThat(BytesValue.parseFrom(answer.get(20, TimeUnit.SECONDS)).getValue().toStringUtf8())
        .isEqualTo("late");
    assertThat(late).isCompleted();
    assertThat(held.context().cancelled().toCompletableFuture()).isNotDone();
  }

  @Test
  void tellsTheFailureOfAHeldCall() throws Exception {
    CompletableFuture<byte[]> answer = begin(client);
    EchoTable.Held held = server.echo().held().take();
    CompletableFuture<BytesValue> never = held.answer().orTimeout(400, MS);
    Throwable failure = catchThrowableOfType(Exception.class, answer::get).getCause();
    assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(Status.fromThrowable(failure).getDescription())
        .isEqualTo("Troupe did not answer FunctionGetOutputs in time.");
    assertThat(never).isCompletedExceptionally();
  }

  @Test
  void tellsTheHandlerThatTheCallerGaveUp() throws Exception {
    ClientCall<byte[], byte[]> call = client.begin(EchoTable.HOLD, MethodType.UNARY);
    CompletableFuture<byte[]> unused = answer(call);
    EchoTable.Held held = server.echo().held().take();
    call.cancel("enough", null);
    held.context().cancelled().toCompletableFuture().get(20, TimeUnit.SECONDS);
    assertThat(unused).isCompletedExceptionally();
  }

  @Test
  void tellsTheHandlerThatTheConnectionBroke() throws Exception {
    RawClient other = RawClient.of(server);
    CompletableFuture<byte[]> answer = begin(other);
    EchoTable.Held held = server.echo().held().take();
    CompletableFuture.delayedExecutor(300, MS, Executors.newVirtualThreadPerTaskExecutor())
        .execute(other::close);
    held.context().cancelled().toCompletableFuture().get(20, TimeUnit.SECONDS);
    assertThat(answer).failsWithin(Duration.ofSeconds(20));
  }

  @Test
  void drainsWhatOnlyWaits() throws Exception {
    try (EchoServer other = new EchoServer(64L << 20, Duration.ofSeconds(1));
        RawClient caller = RawClient.of(other)) {
      CompletableFuture<byte[]> answer = begin(caller);
      EchoTable.Held held = other.echo().held().take();
      other.publicPort().drain(Duration.ofSeconds(20)).toCompletableFuture().get(20, SECONDS);
      Throwable failure = catchThrowableOfType(Exception.class, answer::get).getCause();
      assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(Status.fromThrowable(failure).getDescription()).contains("shutting down");
      assertThat(held.context().cancelled().toCompletableFuture()).isDone();
    }
  }

  private static final TimeUnit MS = TimeUnit.MILLISECONDS;
  private static final TimeUnit SECONDS = TimeUnit.SECONDS;
  private static final java.nio.charset.Charset UTF_8 = java.nio.charset.StandardCharsets.UTF_8;

  private static CompletableFuture<byte[]> begin(RawClient client) {
    return answer(client.begin(EchoTable.HOLD, MethodType.UNARY));
  }

  private static CompletableFuture<byte[]> answer(ClientCall<byte[], byte[]> call) {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    ClientCalls.asyncUnaryCall(
        call,
        new byte[0],
        new StreamObserver<>() {
          @Override
          public void onNext(byte[] value) {
            answer.complete(value);
          }

          @Override
          public void onError(Throwable failure) {
            answer.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {}
        });
    return answer;
  }

  private static byte[] bytes(byte[] value) {
    return BytesValue.of(ByteString.copyFrom(value)).toByteArray();
  }

  private static StatusRuntimeException failure(Runnable call) {
    return catchThrowableOfType(StatusRuntimeException.class, call::run);
  }
}
