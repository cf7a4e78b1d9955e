package dev.troupe.launcher.rehearsal;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import dev.troupe.protocol.modal.AppCreateRequest;
import dev.troupe.protocol.modal.AppCreateResponse;
import dev.troupe.protocol.modal.AppPublishRequest;
import dev.troupe.protocol.modal.AppPublishResponse;
import dev.troupe.protocol.modal.AppState;
import dev.troupe.protocol.modal.AutoscalerSettings;
import dev.troupe.protocol.modal.DataFormat;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionCallInvocationType;
import dev.troupe.protocol.modal.FunctionCallType;
import dev.troupe.protocol.modal.FunctionCreateRequest;
import dev.troupe.protocol.modal.FunctionCreateResponse;
import dev.troupe.protocol.modal.FunctionFinishInputsRequest;
import dev.troupe.protocol.modal.FunctionGetOutputsRequest;
import dev.troupe.protocol.modal.FunctionGetOutputsResponse;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.FunctionMapRequest;
import dev.troupe.protocol.modal.FunctionMapResponse;
import dev.troupe.protocol.modal.FunctionPutInputsItem;
import dev.troupe.protocol.modal.FunctionPutInputsRequest;
import dev.troupe.protocol.modal.FunctionPutInputsResponse;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import dev.troupe.protocol.modal.Image;
import dev.troupe.protocol.modal.ImageGetOrCreateRequest;
import dev.troupe.protocol.modal.ImageGetOrCreateResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.IntStream;

/** A client as the Python one is, without Python: deploys a function, calls it, maps over it. */
final class StageClient {

  private static final String APP = "rehearsal";

  /** As long as the pickled arguments of a small call. */
  private static final ByteString ARGUMENTS = ByteString.copyFrom(new byte[40]);

  private static final int MOST_LOOKS = 1_000;

  private static final Executor THREADS = task -> Thread.ofVirtual().start(task);

  private final RpcChannel port;

  StageClient(RpcChannel port) {
    this.port = port;
  }

  /** Deploys a function that keeps some containers; its id. */
  String deploy(int containers) {
    AppCreateRequest wish =
        AppCreateRequest.newBuilder()
            .setDescription(APP)
            .setAppState(AppState.APP_STATE_INITIALIZING)
            .build();
    String app = port.call("AppCreate", wish, AppCreateResponse.parser()).join().getAppId();
    Function definition =
        Function.newBuilder()
            .setFunctionName("echo")
            .setModuleName("rehearsal")
            .setImageId(image(app))
            .setMaxConcurrentInputs(StageRunner.CONCURRENT_INPUTS)
            .setAutoscalerSettings(
                AutoscalerSettings.newBuilder()
                    .setMinContainers(containers)
                    .setMaxContainers(containers))
            .build();
    FunctionCreateRequest create =
        FunctionCreateRequest.newBuilder().setAppId(app).setFunction(definition).build();
    String function =
        port.call("FunctionCreate", create, FunctionCreateResponse.parser()).join().getFunctionId();
    AppPublishRequest publish =
        AppPublishRequest.newBuilder()
            .setAppId(app)
            .setName(APP)
            .setAppState(AppState.APP_STATE_DEPLOYED)
            .putFunctionIds("echo", function)
            .build();
    port.call("AppPublish", publish, AppPublishResponse.parser()).join();
    return function;
  }

  /** An image, once it is built. */
  private String image(String app) {
    ImageGetOrCreateRequest wish =
        ImageGetOrCreateRequest.newBuilder()
            .setAppId(app)
            .setImage(Image.newBuilder().addDockerfileCommands("FROM python:3.13-slim-trixie"))
            .build();
    for (int look = 0; look < MOST_LOOKS; look++) {
      ImageGetOrCreateResponse answer =
          port.call("ImageGetOrCreate", wish, ImageGetOrCreateResponse.parser()).join();
      if (answer.getResult().getStatus() == GenericStatus.GENERIC_STATUS_SUCCESS) {
        return answer.getImageId();
      }
    }
    throw new IllegalStateException("The image was not built.");
  }

  /** Calls the function so many times, one call after the other. */
  void call(String function, int times) {
    for (int i = 0; i < times; i++) {
      FunctionMapRequest request =
          begin(function, FunctionCallType.FUNCTION_CALL_TYPE_UNARY)
              .addPipelinedInputs(input(0))
              .build();
      String call = begun(request);
      FunctionGetOutputsRequest take = outputs(call).setStartIdx(0).setEndIdx(0).build();
      int taken = take(take).getOutputsCount();
      if (taken != 1) {
        throw new IllegalStateException("A call had " + taken + " outputs.");
      }
    }
  }

  /** The same by several lanes, each of which calls so many times. */
  void call(String function, int lanes, int times) {
    CompletableFuture<?>[] all =
        IntStream.range(0, lanes)
            .mapToObj(_ -> CompletableFuture.runAsync(() -> call(function, times), THREADS))
            .toArray(CompletableFuture[]::new);
    CompletableFuture.allOf(all).join();
  }

  /** Maps over so many inputs, in batches as the Python client makes them. */
  void map(String function, int batches, int batch) {
    String call = begun(begin(function, FunctionCallType.FUNCTION_CALL_TYPE_MAP).build());
    for (int i = 0; i < batches; i++) {
      int first = i * batch;
      FunctionPutInputsRequest put =
          FunctionPutInputsRequest.newBuilder()
              .setFunctionId(function)
              .setFunctionCallId(call)
              .addAllInputs(
                  IntStream.range(first, first + batch).mapToObj(StageClient::input).toList())
              .build();
      port.call("FunctionPutInputs", put, FunctionPutInputsResponse.parser()).join();
    }
    FunctionFinishInputsRequest finish =
        FunctionFinishInputsRequest.newBuilder()
            .setFunctionId(function)
            .setFunctionCallId(call)
            .setNumInputs(batches * batch)
            .build();
    port.call("FunctionFinishInputs", finish, Empty.parser()).join();
    int taken = 0;
    String last = "0-0";
    while (taken < batches * batch) {
      FunctionGetOutputsResponse some =
          take(outputs(call).setLastEntryId(last).setMaxValues(batch).build());
      taken += some.getOutputsCount();
      last = some.getLastEntryId();
    }
  }

  private static FunctionMapRequest.Builder begin(String function, FunctionCallType type) {
    return FunctionMapRequest.newBuilder()
        .setFunctionId(function)
        .setFunctionCallType(type)
        .setFunctionCallInvocationType(
            FunctionCallInvocationType.FUNCTION_CALL_INVOCATION_TYPE_SYNC);
  }

  private String begun(FunctionMapRequest request) {
    return port.call("FunctionMap", request, FunctionMapResponse.parser())
        .join()
        .getFunctionCallId();
  }

  private static FunctionGetOutputsRequest.Builder outputs(String call) {
    return FunctionGetOutputsRequest.newBuilder()
        .setFunctionCallId(call)
        .setTimeout(55)
        .setLastEntryId("0-0")
        .setClearOnSuccess(true)
        .setRequestedAt(System.currentTimeMillis() / 1e3);
  }

  private FunctionGetOutputsResponse take(FunctionGetOutputsRequest request) {
    return port.call("FunctionGetOutputs", request, FunctionGetOutputsResponse.parser()).join();
  }

  private static FunctionPutInputsItem input(int index) {
    return FunctionPutInputsItem.newBuilder()
        .setIdx(index)
        .setInput(
            FunctionInput.newBuilder()
                .setArgs(ARGUMENTS)
                .setDataFormat(DataFormat.DATA_FORMAT_PICKLE))
        .build();
  }
}
