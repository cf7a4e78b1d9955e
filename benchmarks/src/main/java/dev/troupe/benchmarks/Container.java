package dev.troupe.benchmarks;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.modal.DataFormat;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsRequest;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.FunctionPutOutputsItem;
import dev.troupe.protocol.modal.FunctionPutOutputsRequest;
import dev.troupe.protocol.modal.GenericResult;
import io.grpc.MethodDescriptor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A container with concurrent inputs as the runner plays it, without its Python: one poll at a
 * time, one input a poll, which is answered with its arguments; as many answers under way as inputs
 * may run.
 */
final class Container {

  private static final MethodDescriptor<byte[], byte[]> GET_INPUTS =
      Connection.rpc("FunctionGetInputs");
  private static final MethodDescriptor<byte[], byte[]> PUT_OUTPUTS =
      Connection.rpc("FunctionPutOutputs");

  /** As the benchmarks' function says. */
  private static final int CONCURRENT_INPUTS = 64;

  private final Connection door;
  private final byte[] poll;
  private final Consumer<String> failed;
  private final AtomicInteger free = new AtomicInteger(CONCURRENT_INPUTS);
  private final AtomicBoolean polling = new AtomicBoolean();
  private volatile boolean stopped;

  Container(Connection door, String functionId, Consumer<String> failed) {
    this.door = door;
    this.failed = failed;
    this.poll =
        FunctionGetInputsRequest.newBuilder()
            .setFunctionId(functionId)
            .setInputConcurrency(CONCURRENT_INPUTS)
            .build()
            .toByteArray();
  }

  /** Begins to ask for inputs. */
  void start() {
    if (!stopped && free.get() > 0 && polling.compareAndSet(false, true)) {
      door.call(GET_INPUTS, poll, this::run, this::broken);
    }
  }

  /** Asks no more; the poll that is held is left to the end of the connection. */
  void stop() {
    stopped = true;
  }

  private void run(byte[] answer) {
    try {
      FunctionGetInputsResponse inputs = FunctionGetInputsResponse.parseFrom(answer);
      for (FunctionGetInputsItem item : inputs.getInputsList()) {
        if (item.getKillSwitch()) {
          broken("a container was told to leave");
          return;
        }
        free.decrementAndGet();
        door.call(
            PUT_OUTPUTS,
            output(item),
            _ -> {
              free.incrementAndGet();
              start();
            },
            this::broken);
      }
      polling.set(false);
      start();
    } catch (InvalidProtocolBufferException malformed) {
      broken("FunctionGetInputs: " + malformed);
    }
  }

  private void broken(String why) {
    if (!stopped) {
      failed.accept(why);
    }
  }

  private static byte[] output(FunctionGetInputsItem item) {
    double now = System.currentTimeMillis() / 1e3;
    return FunctionPutOutputsRequest.newBuilder()
        .addOutputs(
            FunctionPutOutputsItem.newBuilder()
                .setInputId(item.getInputId())
                .setResult(
                    GenericResult.newBuilder()
                        .setStatus(GenericResult.GenericStatus.GENERIC_STATUS_SUCCESS)
                        .setData(item.getInput().getArgs()))
                .setDataFormat(DataFormat.DATA_FORMAT_PICKLE)
                .setRetryCount(item.getRetryCount())
                .setInputStartedAt(now)
                .setOutputCreatedAt(now))
        .setRequestedAt(now)
        .build()
        .toByteArray();
  }
}
