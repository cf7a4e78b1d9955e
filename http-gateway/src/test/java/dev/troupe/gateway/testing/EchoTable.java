package dev.troupe.gateway.testing;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.Int32Value;
import com.google.protobuf.Message;
import com.google.protobuf.WrappersProto;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcTable;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.pekko.stream.javadsl.Source;

/** RPCs that say back what they hear, under names that a token may call. */
public final class EchoTable {

  /** Answers with its request. */
  public static final String ECHO = "BlobGet";

  /** Answers with so many zero bytes. */
  public static final String ZEROS = "BlobCreate";

  /** Streams so many messages of 1 MiB. */
  public static final String STREAM = "AppGetLogs";

  /** Streams two messages, then fails. */
  public static final String BROKEN_STREAM = "ImageJoinStreaming";

  /** Is held until the test answers it. */
  public static final String HOLD = "FunctionGetOutputs";

  /** Fails with NOT_FOUND, or by a bug where the request is "bug". */
  public static final String FAIL = "FunctionGet";

  /** A call that is held. */
  public record Held(
      RpcContext context, BytesValue request, CompletableFuture<BytesValue> answer) {}

  private final BlockingQueue<Held> held = new LinkedBlockingQueue<>();

  /** The next held call. */
  public BlockingQueue<Held> held() {
    return held;
  }

  /** The table. */
  public RpcTable table() {
    return RpcTable.builder(List.of(service()))
        .unary(
            ECHO,
            BytesValue.parser(),
            (context, request) -> CompletableFuture.completedFuture(request))
        .unary(
            ZEROS,
            Int32Value.parser(),
            (context, request) -> CompletableFuture.completedFuture(zeros(request.getValue())))
        .stream(
            STREAM,
            Int32Value.parser(),
            (context, request) -> Source.range(1, request.getValue()).map(i -> zeros(1 << 20)))
        .stream(
            BROKEN_STREAM,
            Int32Value.parser(),
            (context, request) ->
                Source.range(1, 3)
                    .map(
                        i -> {
                          if (i == 3) {
                            throw RpcFailure.notFound("no more of it");
                          }
                          return zeros(i);
                        }))
        .unary(HOLD, BytesValue.parser(), this::hold)
        .unary(FAIL, BytesValue.parser(), EchoTable::fail)
        .build();
  }

  private CompletableFuture<BytesValue> hold(RpcContext context, BytesValue request) {
    CompletableFuture<BytesValue> answer = new CompletableFuture<>();
    held.add(new Held(context, request, answer));
    return answer;
  }

  private static CompletableFuture<BytesValue> fail(RpcContext context, BytesValue request) {
    if (request.getValue().toStringUtf8().equals("bug")) {
      throw new IllegalStateException("a bug, on purpose");
    }
    return CompletableFuture.failedFuture(
        RpcFailure.unavailable("grüße: 100 %", Duration.ofMillis(1500)));
  }

  private static BytesValue zeros(int length) {
    return BytesValue.of(ByteString.copyFrom(new byte[length]));
  }

  private static ServiceDescriptor service() {
    ServiceDescriptorProto service =
        ServiceDescriptorProto.newBuilder()
            .setName("Echo")
            .addMethod(method(ECHO, BytesValue.getDefaultInstance(), false))
            .addMethod(method(ZEROS, Int32Value.getDefaultInstance(), false))
            .addMethod(method(STREAM, Int32Value.getDefaultInstance(), true))
            .addMethod(method(BROKEN_STREAM, Int32Value.getDefaultInstance(), true))
            .addMethod(method(HOLD, BytesValue.getDefaultInstance(), false))
            .addMethod(method(FAIL, BytesValue.getDefaultInstance(), false))
            .build();
    FileDescriptorProto file =
        FileDescriptorProto.newBuilder()
            .setName("echo.proto")
            .setSyntax("proto3")
            .addDependency("google/protobuf/wrappers.proto")
            .addService(service)
            .build();
    try {
      return FileDescriptor.buildFrom(file, new FileDescriptor[] {WrappersProto.getDescriptor()})
          .getServices()
          .getFirst();
    } catch (DescriptorValidationException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static MethodDescriptorProto method(String name, Message request, boolean stream) {
    return MethodDescriptorProto.newBuilder()
        .setName(name)
        .setInputType("." + request.getDescriptorForType().getFullName())
        .setOutputType("." + BytesValue.getDescriptor().getFullName())
        .setServerStreaming(stream)
        .build();
  }
}
