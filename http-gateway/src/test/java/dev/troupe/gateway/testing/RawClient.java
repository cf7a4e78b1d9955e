package dev.troupe.gateway.testing;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A gRPC client of the client's service, that takes and gives bytes. */
public final class RawClient implements AutoCloseable {

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException failed) {
            throw new UncheckedIOException(failed);
          }
        }
      };

  private final ManagedChannel channel;
  private final Metadata headers = new Metadata();

  /** A client with a token; an empty one sends none. */
  public RawClient(int port, String token, String secret) {
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
    if (!token.isEmpty()) {
      header("x-modal-token-id", token);
      header("x-modal-token-secret", secret);
    }
  }

  /** A client of the echo server. */
  public static RawClient of(EchoServer server) {
    return new RawClient(server.port(), EchoServer.TOKEN, EchoServer.SECRET);
  }

  /** Sends a header with every call. */
  public RawClient header(String name, String value) {
    headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
    return this;
  }

  /** Calls and waits for the answer. */
  public byte[] unary(String rpc, byte[] request) {
    return ClientCalls.blockingUnaryCall(begin(rpc, MethodType.UNARY), request);
  }

  /** Calls and collects the stream. */
  public List<byte[]> stream(String rpc, byte[] request) {
    List<byte[]> answers = new ArrayList<>();
    ClientCalls.blockingServerStreamingCall(begin(rpc, MethodType.SERVER_STREAMING), request)
        .forEachRemaining(answers::add);
    return answers;
  }

  /** A call that is the test's to drive. */
  public ClientCall<byte[], byte[]> begin(String rpc, MethodType type) {
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.newBuilder(BYTES, BYTES)
            .setType(type)
            .setFullMethodName("modal.client.ModalClient/" + rpc)
            .build();
    return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers))
        .newCall(method, CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS));
  }

  /** Drops the connection. */
  @Override
  public void close() {
    channel.shutdownNow();
  }
}
