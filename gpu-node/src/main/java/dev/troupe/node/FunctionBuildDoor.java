package dev.troupe.node;

import com.google.protobuf.Empty;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.node.container.ContainerDriver.Exit;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.FunctionPutOutputsRequest;
import dev.troupe.protocol.modal.GenericResult;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import dev.troupe.protocol.modal.TaskResultRequest;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Answers the container of a function that makes a layer: one input, then the kill switch; its
 * output is kept here. What else it asks goes to the server, as that of any container does.
 */
final class FunctionBuildDoor implements ContainerDoor {

  private static final int INVALID_ARGUMENT = 3;

  /** Names that nobody else has: the runner gives them back with the output. */
  private static final String INPUT = "in-build";

  private static final String CALL = "fc-build";

  private final FunctionInput input;
  private final ContainerDoor server;
  private boolean given;
  private @Nullable GenericResult result;

  FunctionBuildDoor(FunctionInput input, ContainerDoor server) {
    this.input = input;
    this.server = server;
  }

  @Override
  public Held call(Call call, Answer answer) {
    try {
      MessageLite message = answer(call.method(), call.request());
      if (message == null) {
        return server.call(call, answer);
      }
      answer.message(message.toByteArray());
      answer.end(0, "", new byte[0]);
    } catch (InvalidProtocolBufferException malformed) {
      answer.end(INVALID_ARGUMENT, "The message can't be read.", new byte[0]);
    }
    return () -> {};
  }

  private synchronized @Nullable MessageLite answer(String method, byte[] request)
      throws InvalidProtocolBufferException {
    return switch (method) {
      // Of what these two answer nothing is set.
      case "ContainerHello", "ContainerHeartbeat" -> Empty.getDefaultInstance();
      case "FunctionGetInputs" -> {
        FunctionGetInputsItem.Builder item = FunctionGetInputsItem.newBuilder();
        if (given) {
          item.setKillSwitch(true);
        } else {
          given = true;
          item.setInputId(INPUT).setFunctionCallId(CALL).setInput(input);
        }
        yield FunctionGetInputsResponse.newBuilder().addInputs(item).build();
      }
      case "FunctionPutOutputs" -> {
        FunctionPutOutputsRequest outputs = FunctionPutOutputsRequest.parseFrom(request);
        if (outputs.getOutputsCount() > 0) {
          result = outputs.getOutputs(0).getResult();
        }
        yield Empty.getDefaultInstance();
      }
      case "TaskResult" -> {
        GenericResult ended = TaskResultRequest.parseFrom(request).getResult();
        // The runner also says at its end that all is well.
        if (result == null && ended.getStatusValue() != 0) {
          result = ended;
        }
        yield Empty.getDefaultInstance();
      }
      default -> null;
    };
  }

  /** Fails with what the function, or its runner, said; or with how the container ended. */
  synchronized void requireSuccess(Exit exit, Duration limit) throws BuildFailure {
    GenericResult said = result;
    if (said != null && said.getStatus() != GenericStatus.GENERIC_STATUS_SUCCESS) {
      throw new BuildFailure(
          said.getException().isEmpty()
              ? "The function failed with status %s.".formatted(said.getStatus())
              : said.getException());
    }
    if (said == null || !given || exit.code() != 0) {
      throw new BuildFailure(
          "The container of the function ended with %s, within %d s."
              .formatted(exit, limit.toSeconds()));
    }
  }
}
