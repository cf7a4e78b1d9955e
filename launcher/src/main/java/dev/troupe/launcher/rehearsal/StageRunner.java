package dev.troupe.launcher.rehearsal;

import com.google.protobuf.Empty;
import dev.troupe.protocol.modal.DataFormat;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsRequest;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.FunctionPutOutputsItem;
import dev.troupe.protocol.modal.FunctionPutOutputsRequest;
import dev.troupe.protocol.modal.GenericResult;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;

/**
 * A container as its own runner plays it, without Python: one poll at a time, one input a poll,
 * which is answered with its arguments.
 */
final class StageRunner implements Runnable, AutoCloseable {

  /** Inputs that one container runs at a time. */
  static final int CONCURRENT_INPUTS = 32;

  private final RpcChannel door;
  private final FunctionGetInputsRequest poll;
  private final Semaphore free = new Semaphore(CONCURRENT_INPUTS);
  private volatile boolean over;

  StageRunner(RpcChannel door, String functionId) {
    this.door = door;
    this.poll =
        FunctionGetInputsRequest.newBuilder()
            .setFunctionId(functionId)
            .setInputConcurrency(CONCURRENT_INPUTS)
            .build();
  }

  @Override
  public void run() {
    try {
      door.call("ContainerHello", Empty.getDefaultInstance(), Empty.parser()).join();
      while (!over) {
        free.acquireUninterruptibly();
        FunctionGetInputsResponse inputs =
            door.call("FunctionGetInputs", poll, FunctionGetInputsResponse.parser()).join();
        if (inputs.getInputsCount() == 0) {
          free.release();
        }
        inputs.getInputsList().forEach(this::answer);
      }
    } catch (CompletionException closed) {
      // The server ends, and the rehearsal with it. Calls that hang then tell of a defect.
    }
  }

  private void answer(FunctionGetInputsItem item) {
    if (item.getKillSwitch()) {
      over = true;
      return;
    }
    door.call("FunctionPutOutputs", output(item), Empty.parser())
        .whenComplete((_, _) -> free.release());
  }

  private static FunctionPutOutputsRequest output(FunctionGetInputsItem item) {
    double now = System.currentTimeMillis() / 1e3;
    return FunctionPutOutputsRequest.newBuilder()
        .addOutputs(
            FunctionPutOutputsItem.newBuilder()
                .setInputId(item.getInputId())
                .setResult(
                    GenericResult.newBuilder()
                        .setStatus(GenericStatus.GENERIC_STATUS_SUCCESS)
                        .setData(item.getInput().getArgs()))
                .setDataFormat(DataFormat.DATA_FORMAT_PICKLE)
                .setRetryCount(item.getRetryCount())
                .setInputStartedAt(now)
                .setOutputCreatedAt(now))
        .setRequestedAt(now)
        .build();
  }

  @Override
  public void close() {
    over = true;
    door.close();
  }
}
