package dev.troupe.benchmarks;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One connection to a door, on which unary RPCs are made: bytes out, bytes in. */
final class Connection implements AutoCloseable {

  private static final Metadata.Key<String> IDEMPOTENCY_KEY = key("x-idempotency-key");
  private static final String RUN = UUID.randomUUID().toString();
  private static final AtomicLong CALLS = new AtomicLong();

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
          } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
          }
        }
      };

  /** The client's RPC of a name. */
  static MethodDescriptor<byte[], byte[]> rpc(String name) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(MethodType.UNARY)
        .setFullMethodName("modal.client.ModalClient/" + name)
        .setRequestMarshaller(BYTES)
        .setResponseMarshaller(BYTES)
        .build();
  }

  private final ManagedChannel channel;
  private final Map<Metadata.Key<String>, String> headers;

  private Connection(ManagedChannel channel, Map<Metadata.Key<String>, String> headers) {
    this.channel = channel;
    this.headers = headers;
  }

  /** A connection to the public port. */
  static Connection toPort(URI server, String tokenId, String tokenSecret, EventLoopGroup threads) {
    ManagedChannel channel =
        channel(
            new InetSocketAddress(server.getHost(), server.getPort()),
            threads,
            EpollSocketChannel.class);
    return new Connection(
        channel,
        Map.of(key("x-modal-token-id"), tokenId, key("x-modal-token-secret"), tokenSecret));
  }

  /** A connection to a container's door. */
  static Connection toDoor(String socket, EventLoopGroup threads) {
    return new Connection(
        channel(new DomainSocketAddress(socket), threads, EpollDomainSocketChannel.class),
        Map.of());
  }

  private static ManagedChannel channel(
      SocketAddress address,
      EventLoopGroup threads,
      Class<? extends io.grpc.netty.shaded.io.netty.channel.Channel> type) {
    return NettyChannelBuilder.forAddress(address)
        .usePlaintext()
        .overrideAuthority("localhost")
        .eventLoopGroup(threads)
        .channelType(type)
        .directExecutor()
        .build();
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /** Makes a call under an idempotency key of its own. */
  void call(
      MethodDescriptor<byte[], byte[]> rpc,
      byte[] request,
      Consumer<byte[]> answered,
      Consumer<String> failed) {
    Metadata metadata = new Metadata();
    headers.forEach(metadata::put);
    metadata.put(IDEMPOTENCY_KEY, RUN + "-" + CALLS.incrementAndGet());
    ClientCall<byte[], byte[]> call = channel.newCall(rpc, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          private byte @Nullable [] answer;

          @Override
          public void onMessage(byte[] message) {
            answer = message;
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            byte[] message = answer;
            if (status.isOk() && message != null) {
              answered.accept(message);
            } else {
              failed.accept(rpc.getBareMethodName() + ": " + status);
            }
          }
        },
        metadata);
    call.request(2);
    call.sendMessage(request);
    call.halfClose();
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
