package dev.troupe.gateway.service;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.id.ClassId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.service.Definitions.Origin;
import dev.troupe.protocol.modal.ClassHandleMetadata;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionHandleMetadata;
import dev.troupe.protocol.modal.FunctionPrecreateRequest;
import dev.troupe.protocol.modal.MethodDefinition;
import dev.troupe.protocol.modal.Object;
import java.util.Map;

/** What a client must know of a function or class to use it. */
public final class Handles {

  /** Bytes of an output that the runner sends without a blob. */
  private static final long INLINE_OUTPUT = 16L << 20;

  /** The same for a batched function, whose runner puts 20 outputs in one message. */
  private static final long INLINE_BATCHED_OUTPUT = 4L << 20;

  private Handles() {}

  /** The handle of a function that is being defined. */
  static FunctionHandleMetadata of(Origin origin, Function function, String definitionId) {
    FunctionHandleMetadata.Builder handle =
        FunctionHandleMetadata.newBuilder()
            .setFunctionName(function.getFunctionName())
            .setFunctionType(function.getFunctionType())
            .setIsMethod(function.getIsMethod())
            .setDefinitionId(definitionId)
            .setAppId(origin.app().value())
            .addAllSupportedInputFormats(function.getSupportedInputFormatsList())
            .addAllSupportedOutputFormats(function.getSupportedOutputFormatsList())
            .putAllMethodHandleMetadata(
                methods(function.getMethodDefinitionsMap(), origin.app().value()));
    if (function.hasClassParameterInfo()) {
      handle.setClassParameterInfo(function.getClassParameterInfo());
    }
    if (function.hasFunctionSchema()) {
      handle.setFunctionSchema(function.getFunctionSchema());
    }
    if (origin.base() != null) {
      handle.setBaseFunctionId(origin.base().value());
    }
    return handle.build();
  }

  /** The handle of a function that has an id and no definition yet. */
  static FunctionHandleMetadata of(FunctionPrecreateRequest request) {
    FunctionHandleMetadata.Builder handle =
        FunctionHandleMetadata.newBuilder()
            .setFunctionName(request.getFunctionName())
            .setFunctionType(request.getFunctionType())
            .setAppId(request.getAppId())
            .addAllSupportedInputFormats(request.getSupportedInputFormatsList())
            .addAllSupportedOutputFormats(request.getSupportedOutputFormatsList())
            .putAllMethodHandleMetadata(
                methods(request.getMethodDefinitionsMap(), request.getAppId()));
    if (request.hasFunctionSchema()) {
      handle.setFunctionSchema(request.getFunctionSchema());
    }
    return handle.build();
  }

  /**
   * The handle as the function's own container is given it: the runner reads from it how big an
   * output may be before it takes a blob for it.
   */
  public static FunctionHandleMetadata inContainer(
      FunctionHandleMetadata handle, int batchMaxSize) {
    long inline = batchMaxSize > 0 ? INLINE_BATCHED_OUTPUT : INLINE_OUTPUT;
    return handle.toBuilder()
        .setMaxObjectSizeBytes(inline)
        .setMaxAsyncObjectSizeBytes(inline)
        .build();
  }

  /** A function or class of an app's layout; told apart by the prefix of its id. */
  public static Object object(String id, byte[] handleMetadata) {
    Object.Builder object = Object.newBuilder().setObjectId(id);
    try {
      if (id.startsWith(FunctionId.PREFIX)) {
        object.setFunctionHandleMetadata(FunctionHandleMetadata.parseFrom(handleMetadata));
      } else if (id.startsWith(ClassId.PREFIX)) {
        object.setClassHandleMetadata(ClassHandleMetadata.parseFrom(handleMetadata));
      }
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("The handle metadata of " + id + " is damaged", damaged);
    }
    return object.build();
  }

  /** Reads the handle of a function that was kept. */
  static FunctionHandleMetadata parse(byte[] handleMetadata) {
    try {
      return FunctionHandleMetadata.parseFrom(handleMetadata);
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("Handle metadata is damaged", damaged);
    }
  }

  private static Map<String, FunctionHandleMetadata> methods(
      Map<String, MethodDefinition> definitions, String app) {
    return definitions.entrySet().stream()
        .collect(
            java.util.stream.Collectors.toUnmodifiableMap(
                Map.Entry::getKey, entry -> method(entry.getKey(), entry.getValue(), app)));
  }

  private static FunctionHandleMetadata method(
      String name, MethodDefinition definition, String app) {
    FunctionHandleMetadata.Builder handle =
        FunctionHandleMetadata.newBuilder()
            .setFunctionName(definition.getFunctionName())
            .setFunctionType(definition.getFunctionType())
            .setIsMethod(true)
            .setUseMethodName(name)
            .setAppId(app)
            .addAllSupportedInputFormats(definition.getSupportedInputFormatsList())
            .addAllSupportedOutputFormats(definition.getSupportedOutputFormatsList());
    if (definition.hasFunctionSchema()) {
      handle.setFunctionSchema(definition.getFunctionSchema());
    }
    return handle.build();
  }
}
