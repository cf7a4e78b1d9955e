package dev.troupe.benchmarks;

import dev.troupe.protocol.modal.FunctionGetDynamicConcurrencyRequest;
import io.grpc.MethodDescriptor;
import java.util.List;
import java.util.function.Consumer;

/**
 * As many RPCs on the same doors as a call takes, which no entity and no store hears of: one on the
 * public port, two on a container's door, another one on the public port.
 */
final class Echo implements Mix {

  private static final MethodDescriptor<byte[], byte[]> FIRST = Connection.rpc("ClientHello");
  private static final MethodDescriptor<byte[], byte[]> LAST =
      Connection.rpc("WorkspaceNameLookup");
  private static final MethodDescriptor<byte[], byte[]> AT_THE_DOOR =
      Connection.rpc("FunctionGetDynamicConcurrency");
  private static final byte[] EMPTY = {};

  private final List<Connection> port;
  private final List<Connection> doors;
  private final byte[] concurrency;
  private final Consumer<String> failed;

  Echo(List<Connection> port, List<Connection> doors, String functionId, Consumer<String> failed) {
    this.port = port;
    this.doors = doors;
    this.failed = failed;
    this.concurrency =
        FunctionGetDynamicConcurrencyRequest.newBuilder()
            .setFunctionId(functionId)
            .setTargetConcurrency(1)
            .setMaxConcurrency(1)
            .build()
            .toByteArray();
  }

  @Override
  public void begin(int number, Runnable done) {
    Connection client = port.get(number % port.size());
    Connection container = doors.get(number % doors.size());
    client.call(
        FIRST,
        EMPTY,
        _ ->
            container.call(
                AT_THE_DOOR,
                concurrency,
                _ ->
                    container.call(
                        AT_THE_DOOR,
                        concurrency,
                        _ -> client.call(LAST, EMPTY, _ -> done.run(), failed),
                        failed),
                failed),
        failed);
  }
}
