package dev.troupe.benchmarks;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.modal.DataFormat;
import dev.troupe.protocol.modal.FunctionCallInvocationType;
import dev.troupe.protocol.modal.FunctionCallType;
import dev.troupe.protocol.modal.FunctionGetOutputsRequest;
import dev.troupe.protocol.modal.FunctionGetOutputsResponse;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.FunctionMapRequest;
import dev.troupe.protocol.modal.FunctionMapResponse;
import dev.troupe.protocol.modal.FunctionPutInputsItem;
import io.grpc.MethodDescriptor;
import java.util.List;
import java.util.function.Consumer;

/** Calls of one function as the client makes them: {@code .remote()}, without its Python. */
final class Calls implements Mix {

  private static final MethodDescriptor<byte[], byte[]> MAP = Connection.rpc("FunctionMap");
  private static final MethodDescriptor<byte[], byte[]> GET_OUTPUTS =
      Connection.rpc("FunctionGetOutputs");

  /** As long as the pickled arguments of a no-op. */
  static final ByteString ARGUMENTS = ByteString.copyFrom(new byte[40]);

  private final List<Connection> port;
  private final byte[] map;
  private final Consumer<String> failed;

  Calls(List<Connection> port, String functionId, Consumer<String> failed) {
    this.port = port;
    this.failed = failed;
    this.map =
        FunctionMapRequest.newBuilder()
            .setFunctionId(functionId)
            .setFunctionCallType(FunctionCallType.FUNCTION_CALL_TYPE_UNARY)
            .setFunctionCallInvocationType(
                FunctionCallInvocationType.FUNCTION_CALL_INVOCATION_TYPE_SYNC)
            .addPipelinedInputs(
                FunctionPutInputsItem.newBuilder()
                    .setInput(
                        FunctionInput.newBuilder()
                            .setArgs(ARGUMENTS)
                            .setDataFormat(DataFormat.DATA_FORMAT_PICKLE)))
            .build()
            .toByteArray();
  }

  @Override
  public void begin(int number, Runnable done) {
    Connection connection = port.get(number % port.size());
    connection.call(MAP, map, answer -> getOutputs(connection, answer, done), failed);
  }

  private void getOutputs(Connection connection, byte[] mapped, Runnable done) {
    try {
      byte[] request =
          FunctionGetOutputsRequest.newBuilder()
              .setFunctionCallId(FunctionMapResponse.parseFrom(mapped).getFunctionCallId())
              .setTimeout(55)
              .setLastEntryId("0-0")
              .setClearOnSuccess(true)
              .setRequestedAt(System.currentTimeMillis() / 1e3)
              .setStartIdx(0)
              .setEndIdx(0)
              .build()
              .toByteArray();
      connection.call(
          GET_OUTPUTS, request, answer -> check(connection, mapped, answer, done), failed);
    } catch (InvalidProtocolBufferException malformed) {
      failed.accept("FunctionMap: " + malformed);
    }
  }

  private void check(Connection connection, byte[] mapped, byte[] answer, Runnable done) {
    try {
      FunctionGetOutputsResponse outputs = FunctionGetOutputsResponse.parseFrom(answer);
      if (outputs.getOutputsCount() == 0) {
        getOutputs(connection, mapped, done);
      } else if (outputs.getOutputs(0).getResult().getData().equals(ARGUMENTS)) {
        done.run();
      } else {
        failed.accept("FunctionGetOutputs: " + outputs.getOutputs(0));
      }
    } catch (InvalidProtocolBufferException malformed) {
      failed.accept("FunctionGetOutputs: " + malformed);
    }
  }
}
