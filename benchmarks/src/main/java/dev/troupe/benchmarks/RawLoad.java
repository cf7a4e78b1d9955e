package dev.troupe.benchmarks;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.modal.FunctionGetRequest;
import dev.troupe.protocol.modal.FunctionGetResponse;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The server alone: its callers and its containers are played from here, by raw gRPC, through one
 * function; beside it an echo of as many RPCs on the same doors. Prints what it measured as JSON.
 *
 * <p>Reads {@code MODAL_SERVER_URL}, {@code MODAL_TOKEN_ID} and {@code MODAL_TOKEN_SECRET}.
 * Arguments: the seconds of each round, the server's process id, a directory on the disk of its
 * data, the function's app and name, and the sockets of its containers, whose own runners must not
 * ask for inputs meanwhile.
 */
public final class RawLoad {

  private static final int CONNECTIONS = 4;
  private static final int IN_FLIGHT = 256;

  private RawLoad() {}

  /** Runs the rounds. */
  public static void main(String[] arguments) throws Exception {
    Duration time = Duration.ofSeconds(Long.parseLong(arguments[0]));
    long serverPid = Long.parseLong(arguments[1]);
    Path directory = Path.of(arguments[2]);
    List<String> sockets = List.of(arguments).subList(5, arguments.length);
    URI server = URI.create(variable("MODAL_SERVER_URL"));
    EventLoopGroup threads = new EpollEventLoopGroup(2, new DefaultThreadFactory("load", true));
    List<Connection> port =
        IntStream.range(0, CONNECTIONS)
            .mapToObj(
                _ ->
                    Connection.toPort(
                        server,
                        variable("MODAL_TOKEN_ID"),
                        variable("MODAL_TOKEN_SECRET"),
                        threads))
            .toList();
    List<Connection> doors =
        sockets.stream().map(socket -> Connection.toDoor(socket, threads)).toList();
    String function = functionId(port.getFirst(), arguments[3], arguments[4]);

    Mix echo = new Echo(port, doors, function, RawLoad::fail);
    Round.Measured echoed = Round.run(echo, IN_FLIGHT, time, time, serverPid);
    List<Container> containers =
        doors.stream().map(door -> new Container(door, function, RawLoad::fail)).toList();
    containers.forEach(Container::start);
    Mix calls = new Calls(port, function, RawLoad::fail);
    Round.Measured called = Round.run(calls, IN_FLIGHT, time, time, serverPid);
    Round.Measured single = Round.run(calls, 1, time.dividedBy(4), time.dividedBy(2), serverPid);
    containers.forEach(Container::stop);
    port.forEach(Connection::close);
    doors.forEach(Connection::close);
    System.out.printf(
        "{\"calls\":%s,\"echo\":%s,\"single\":%s,\"inserts\":%.0f}%n",
        called.json(), echoed.json(), single.json(), Inserts.rate(directory, time.dividedBy(2)));
  }

  private static String functionId(Connection connection, String app, String name)
      throws InvalidProtocolBufferException {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    Consumer<String> failed = why -> answer.completeExceptionally(new IllegalStateException(why));
    connection.call(
        Connection.rpc("FunctionGet"),
        FunctionGetRequest.newBuilder().setAppName(app).setObjectTag(name).build().toByteArray(),
        answer::complete,
        failed);
    return FunctionGetResponse.parseFrom(answer.join()).getFunctionId();
  }

  private static String variable(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new IllegalArgumentException(name + " is not set");
    }
    return value;
  }

  /** A load of which a part failed measures nothing. */
  private static void fail(String why) {
    System.err.println(why);
    Runtime.getRuntime().halt(1);
  }
}
