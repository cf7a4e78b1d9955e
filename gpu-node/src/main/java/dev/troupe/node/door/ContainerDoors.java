package dev.troupe.node.door;

import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.id.TaskId;
import io.grpc.HandlerRegistry;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerMethodDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The RPC sockets of containers: one unix socket each, so that the socket is the identity. Every
 * method is taken as it comes, bytes in and bytes out, and answered by the {@link ContainerDoor}.
 */
public final class ContainerDoors implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ContainerDoors.class);
  private static final int LARGEST_MESSAGE = 100 << 20;
  private static final int HTTP2_WINDOW = 16 << 20;
  private static final int LARGEST_HEADERS = 64 * 1024;

  private final ContainerDoor door;
  private final EventLoopGroup acceptors =
      new EpollEventLoopGroup(1, new DefaultThreadFactory("door-accept", true));
  private final EventLoopGroup workers =
      new EpollEventLoopGroup(
          Math.max(2, Runtime.getRuntime().availableProcessors()),
          new DefaultThreadFactory("door", true));

  public ContainerDoors(ContainerDoor door) {
    this.door = door;
  }

  /** Opens a task's socket at this path, in place of one that is there. */
  public OpenDoor open(TaskId task, Path socket) throws IOException {
    return open(task, socket, door);
  }

  /** The same, answered by another door. */
  public OpenDoor open(TaskId task, Path socket, ContainerDoor door) throws IOException {
    Files.deleteIfExists(socket);
    Server server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(acceptors)
            .workerEventLoopGroup(workers)
            .directExecutor()
            .fallbackHandlerRegistry(new AnyMethod(new DoorCalls(door, task)))
            .maxInboundMessageSize(LARGEST_MESSAGE)
            .maxInboundMetadataSize(LARGEST_HEADERS)
            .flowControlWindow(HTTP2_WINDOW)
            .permitKeepAliveTime(1, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .build()
            .start();
    // The container's user may be any.
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
    return new OpenDoor(server, socket);
  }

  /** A socket that is served until closed; calls that are open then are cut off. */
  public static final class OpenDoor implements AutoCloseable {

    private final Server server;
    private final Path socket;

    private OpenDoor(Server server, Path socket) {
      this.server = server;
      this.socket = socket;
    }

    @Override
    public void close() throws IOException {
      server.shutdownNow();
      Files.deleteIfExists(socket);
    }
  }

  private static final class AnyMethod extends HandlerRegistry {

    private final DoorCalls calls;

    private AnyMethod(DoorCalls calls) {
      this.calls = calls;
    }

    @Override
    public ServerMethodDefinition<byte[], byte[]> lookupMethod(
        String name, @Nullable String authority) {
      MethodDescriptor<byte[], byte[]> method =
          MethodDescriptor.<byte[], byte[]>newBuilder()
              .setType(MethodDescriptor.MethodType.UNKNOWN)
              .setFullMethodName(name)
              .setRequestMarshaller(Bytes.MARSHALLER)
              .setResponseMarshaller(Bytes.MARSHALLER)
              .build();
      return ServerMethodDefinition.create(method, calls);
    }
  }

  @Override
  public void close() {
    for (EventLoopGroup group : List.of(acceptors, workers)) {
      if (!group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000)) {
        LOG.warn("the threads of container doors are still busy");
      }
    }
  }
}
