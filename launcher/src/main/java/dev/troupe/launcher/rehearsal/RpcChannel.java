package dev.troupe.launcher.rehearsal;

import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A connection to a door of the server, on which the client's unary RPCs are made. */
final class RpcChannel implements AutoCloseable {

  /** Longer than the server holds any call. */
  private static final Duration PATIENCE = Duration.ofSeconds(70);

  /** The headers that the Python client sends with each call, beside those of its own. */
  private static final Map<String, String> HEADERS =
      Map.of(
          "x-modal-client-version", Rehearsal.CLIENT_VERSION,
          "x-modal-client-type", "1",
          "x-modal-python-version", "3.13.1",
          "x-modal-node", "rehearsal",
          "x-modal-platform", "Linux-x86_64",
          "x-retry-attempt", "0",
          "x-throttle-retry-attempt", "0");

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] message) {
          return new ByteArrayInputStream(message);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException broken) {
            throw Status.INTERNAL.withCause(broken).asRuntimeException();
          }
        }
      };

  private final EventLoopGroup threads;
  private final ManagedChannel channel;
  private final Metadata headers = new Metadata();

  private RpcChannel(
      SocketAddress address, Class<? extends Channel> type, Map<String, String> own) {
    this.threads = new EpollEventLoopGroup(1, new DefaultThreadFactory("rehearsal", true));
    this.channel =
        NettyChannelBuilder.forAddress(address)
            .usePlaintext()
            .overrideAuthority("localhost")
            .eventLoopGroup(threads)
            .channelType(type)
            .directExecutor()
            .build();
    Map<String, String> all = new HashMap<>(HEADERS);
    all.putAll(own);
    all.forEach((name, value) -> headers.put(key(name), value));
  }

  /** A client's connection to the public port. */
  static RpcChannel toPort(URI server, String tokenId, String tokenSecret) {
    return new RpcChannel(
        new InetSocketAddress(server.getHost(), server.getPort()),
        EpollSocketChannel.class,
        Map.of("x-modal-token-id", tokenId, "x-modal-token-secret", tokenSecret));
  }

  /** A container's connection to its own socket. */
  static RpcChannel toSocket(Path socket) {
    return new RpcChannel(
        new DomainSocketAddress(socket.toString()),
        EpollDomainSocketChannel.class,
        Map.of("x-modal-client-type", "3"));
  }

  /** Makes a call under an idempotency key of its own; fails where it is refused. */
  <A> CompletableFuture<A> call(String rpc, Message request, Parser<A> parser) {
    CompletableFuture<A> answered = new CompletableFuture<>();
    Metadata metadata = new Metadata();
    metadata.merge(headers);
    metadata.put(key("x-idempotency-key"), UUID.randomUUID().toString());
    metadata.put(key("x-modal-timestamp"), Double.toString(System.currentTimeMillis() / 1e3));
    ClientCall<byte[], byte[]> call =
        channel.newCall(
            method(rpc),
            CallOptions.DEFAULT.withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    call.start(new Listener<>(rpc, parser, answered), metadata);
    call.request(2);
    call.sendMessage(request.toByteArray());
    call.halfClose();
    return answered;
  }

  private static MethodDescriptor<byte[], byte[]> method(String rpc) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(MethodType.UNARY)
        .setFullMethodName("modal.client.ModalClient/" + rpc)
        .setRequestMarshaller(BYTES)
        .setResponseMarshaller(BYTES)
        .build();
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /** Completes a call with its one message, or with why there is none. */
  private static final class Listener<A> extends ClientCall.Listener<byte[]> {
    private final String rpc;
    private final Parser<A> parser;
    private final CompletableFuture<A> answered;
    private byte @Nullable [] message;

    Listener(String rpc, Parser<A> parser, CompletableFuture<A> answered) {
      this.rpc = rpc;
      this.parser = parser;
      this.answered = answered;
    }

    @Override
    public void onMessage(byte[] received) {
      message = received;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      byte[] received = message;
      if (!status.isOk() || received == null) {
        answered.completeExceptionally(new IllegalStateException(rpc + ": " + status));
        return;
      }
      try {
        answered.complete(parser.parseFrom(received, ExtensionRegistryLite.getEmptyRegistry()));
      } catch (InvalidProtocolBufferException malformed) {
        answered.completeExceptionally(malformed);
      }
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    threads.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
