package dev.troupe.node.link;

import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.troupe.protocol.link.ControlPlane;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.NodeLinkWire;
import dev.troupe.protocol.link.ToMachine;
import io.grpc.KnownLength;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ApplicationProtocolConfig;
import io.grpc.netty.shaded.io.netty.handler.ssl.ApplicationProtocolNames;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.JdkSslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * The control plane behind a server's addresses. Each link is a connection of its own: a new one is
 * tried at once, whatever became of the last.
 */
final class GrpcControlPlane implements ControlPlane {

  private static final int HTTP2_WINDOW = 16 << 20;

  private static final MethodDescriptor<FromMachine, ToMachine> CONNECT =
      MethodDescriptor.<FromMachine, ToMachine>newBuilder()
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName(NodeLinkWire.CONNECT)
          .setRequestMarshaller(new Messages<>(FromMachine.parser()))
          .setResponseMarshaller(new Messages<>(ToMachine.parser()))
          .build();

  private final ServerAddresses servers;
  private final SslContext tls;
  private final RemoteContainerDoor door;
  private final LinkNews news;
  private final ScheduledExecutorService timer;
  private final Executor executor;

  /** {@code executor} runs what the server says; it may block. */
  GrpcControlPlane(
      ServerAddresses servers,
      RemoteContainerDoor door,
      LinkNews news,
      ScheduledExecutorService timer,
      Executor executor) {
    this.servers = servers;
    this.tls = tls(servers.present());
    this.door = door;
    this.news = news;
    this.timer = timer;
    this.executor = executor;
  }

  @Override
  public Link dial(Consumer<ToMachine> inbox, Consumer<String> lost) {
    ServerAddress server = servers.next();
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(server.host(), server.port())
            .executor(executor)
            .flowControlWindow(HTTP2_WINDOW)
            // The server may give an input of any size.
            .maxInboundMessageSize(Integer.MAX_VALUE);
    ManagedChannel channel = builder.sslContext(tls).build();
    GrpcLink link =
        new GrpcLink(channel, CONNECT, door, message -> heard(message, inbox), end(lost));
    link.start(new Metadata(), timer);
    return link;
  }

  private static SslContext tls(ServerAddress server) {
    return new JdkSslContext(
        server.tls(),
        true,
        null,
        SupportedCipherSuiteFilter.INSTANCE,
        new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN,
            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
            ApplicationProtocolNames.HTTP_2),
        ClientAuth.NONE,
        null,
        false);
  }

  private void heard(ToMachine message, Consumer<ToMachine> inbox) {
    inbox.accept(message);
    if (message.hasWelcome()) {
      news.linked();
    }
  }

  private Consumer<GrpcLink.Ended> end(Consumer<String> lost) {
    return ended -> {
      if (ended.status().getCode() == Status.Code.UNAUTHENTICATED) {
        news.refused(ended.why());
      }
      lost.accept(ended.why());
    };
  }

  /** Messages of the link on the wire. */
  private record Messages<M extends MessageLite>(Parser<M> parser) implements Marshaller<M> {

    @Override
    public InputStream stream(M message) {
      return new Encoded(message.toByteArray());
    }

    @Override
    public M parse(InputStream stream) {
      try {
        return parser.parseFrom(stream, ExtensionRegistryLite.getEmptyRegistry());
      } catch (InvalidProtocolBufferException malformed) {
        throw Status.INTERNAL
            .withDescription("the server sent what is no message of the link")
            .withCause(malformed)
            .asRuntimeException();
      }
    }
  }

  /** Bytes whose number is known, so that they are not gathered first. */
  private static final class Encoded extends ByteArrayInputStream implements KnownLength {
    private Encoded(byte[] bytes) {
      super(bytes);
    }
  }
}
