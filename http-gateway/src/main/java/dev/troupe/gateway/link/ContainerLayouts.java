package dev.troupe.gateway.link;

import com.google.protobuf.ByteString;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.gateway.service.AppViews;
import dev.troupe.gateway.service.Entities;
import dev.troupe.gateway.service.Handles;
import dev.troupe.protocol.modal.AppLayout;
import dev.troupe.protocol.modal.ContainerArguments;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionHandleMetadata;
import dev.troupe.protocol.modal.Object;
import dev.troupe.protocol.modal.ObjectDependency;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What a runner is told of its app: the functions and classes by tag, and each thing its function
 * depends on. The runner matches the dependencies with those in the code by their order, so the
 * definition's own list is left as it was sent.
 */
final class ContainerLayouts {

  private ContainerLayouts() {}

  /** The layout for a container of this function. */
  static AppLayout of(AppView app, FunctionDefinition definition, Function function) {
    AppLayout published = AppViews.layout(app);
    Map<String, Object> objects = new LinkedHashMap<>();
    published.getObjectsList().forEach(object -> objects.put(object.getObjectId(), object));
    Set<String> dependencies = new HashSet<>();
    for (ObjectDependency dependency : function.getObjectDependenciesList()) {
      dependencies.add(dependency.getObjectId());
    }
    for (AppObject object : app.objects()) {
      if (dependencies.contains(object.id())) {
        objects.putIfAbsent(object.id(), Handles.object(object.id(), object.handleMetadata()));
      }
    }
    String self = definition.function().value();
    objects.putIfAbsent(self, Handles.object(self, definition.handleMetadata()));
    int batch = definition.concurrency().batchMaxSize();
    Set<String> own = new HashSet<>();
    own.add(self);
    own.add(published.getFunctionIdsOrDefault(function.getFunctionName(), self));
    for (String id : own) {
      objects.computeIfPresent(id, (_, object) -> withLimits(object, batch));
    }
    for (ObjectDependency dependency : function.getObjectDependenciesList()) {
      String id = dependency.getObjectId();
      if (!id.isEmpty()) {
        objects.putIfAbsent(id, Object.newBuilder().setObjectId(id).build());
      }
    }
    return published.toBuilder().clearObjects().addAllObjects(objects.values()).build();
  }

  /** Adds the handles of functions of other apps that the function depends on. */
  static CompletionStage<AppLayout> withForeignFunctions(
      AppLayout layout, Entities entities, Duration askTimeout) {
    AppLayout.Builder filled = layout.toBuilder();
    CompletionStage<AppLayout.Builder> stage = CompletableFuture.completedStage(filled);
    for (int i = 0; i < layout.getObjectsCount(); i++) {
      Object object = layout.getObjects(i);
      if (object.getObjectId().startsWith(FunctionId.PREFIX)
          && !object.hasFunctionHandleMetadata()) {
        int at = i;
        FunctionId function = new FunctionId(object.getObjectId());
        stage =
            stage.thenCombine(
                describe(function, entities, askTimeout),
                (builder, described) -> builder.setObjects(at, described));
      }
    }
    return stage.thenApply(AppLayout.Builder::build);
  }

  private static CompletionStage<Object> describe(
      FunctionId function, Entities entities, Duration askTimeout) {
    return entities
        .function(function)
        .<Description>ask(FunctionProtocol.Describe::new, askTimeout)
        .thenApply(
            description ->
                switch (description) {
                  case Description.Known(var latest, var published, _) ->
                      Handles.object(
                          function.value(),
                          (published == null ? latest : published).handleMetadata());
                  case Description.Unknown() ->
                      throw new LaunchResolver.Unstartable(
                          "Function %s, which is used, does not exist.".formatted(function));
                });
  }

  /** The file that a runner is started with. */
  static ContainerArguments arguments(
      Launch launch, Function function, AppLayout layout, String environment) {
    FunctionDefinition definition = launch.definition();
    return ContainerArguments.newBuilder()
        .setTaskId(launch.task().value())
        .setFunctionId(definition.function().value())
        .setAppId(definition.app().value())
        .setFunctionDef(function)
        .setSerializedParams(ByteString.copyFrom(definition.serializedParams()))
        .setEnvironmentName(environment)
        .setAppLayout(layout)
        .build();
  }

  private static Object withLimits(Object object, int batchMaxSize) {
    if (!object.hasFunctionHandleMetadata()) {
      return object;
    }
    FunctionHandleMetadata handle =
        Handles.inContainer(object.getFunctionHandleMetadata(), batchMaxSize);
    return object.toBuilder().setFunctionHandleMetadata(handle).build();
  }
}
