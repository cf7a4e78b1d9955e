package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Attribute;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.AppGetInfoRequest;
import dev.troupe.protocol.modal.AppGetInfoResponse;
import dev.troupe.protocol.modal.AppGetInfoResponse.FunctionInfoSummary;
import dev.troupe.protocol.modal.GPUConfig;
import dev.troupe.protocol.modal.ObjectSuggestRequest;
import dev.troupe.protocol.modal.ObjectSuggestResponse;
import dev.troupe.protocol.modal.ObjectSuggestion;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What apps are, at a glance, and which ones a mistyped name may have meant. */
final class AppInfoService implements RpcService {

  /** Entries that names are looked for in. */
  private static final int LISTED = 10_000;

  /** Suggestions that a client gets at most. */
  private static final int SUGGESTED = 10;

  /** Apps whose functions are looked through for a mistyped one. */
  private static final int APPS_LOOKED_INTO = 5;

  private final World world;
  private final Apps apps;
  private final Definer definer;

  AppInfoService(World world, Apps apps, Definer definer) {
    this.world = world;
    this.apps = apps;
    this.definer = definer;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("AppGetInfo", AppGetInfoRequest.parser(), this::info)
        .unary("ObjectSuggest", ObjectSuggestRequest.parser(), this::suggest);
  }

  private CompletionStage<AppGetInfoResponse> info(RpcContext context, AppGetInfoRequest request) {
    return apps.require(context, new AppId(request.getAppId()))
        .thenCompose(
            app ->
                Stages.each(app.functions().values().stream(), this::summary)
                    .thenCombine(
                        world.environments().nameOf(app.environment()),
                        (summaries, environment) -> {
                          AppGetInfoResponse.Builder answer =
                              AppGetInfoResponse.newBuilder()
                                  .setInfo(AppViews.handle(app, environment));
                          summaries.forEach(
                              at -> answer.putFunctionInfoSummaries(at.function(), at.summary()));
                          return answer.build();
                        }));
  }

  /** A function and what there is to say of it. */
  private record Summarised(String function, FunctionInfoSummary summary) {}

  private CompletionStage<Summarised> summary(String function) {
    return definer
        .describe(new FunctionId(function))
        .thenApply(description -> new Summarised(function, summary(description)));
  }

  private static FunctionInfoSummary summary(Description description) {
    FunctionInfoSummary.Builder summary = FunctionInfoSummary.newBuilder();
    if (description instanceof Description.Known known) {
      Definer.inForce(known)
          .resources()
          .gpus()
          .forEach(
              gpu ->
                  summary.addGpuConfig(
                      GPUConfig.newBuilder().setGpuType(gpu.type()).setCount(gpu.count())));
    }
    return summary.build();
  }

  // ---- did you mean

  private CompletionStage<ObjectSuggestResponse> suggest(
      RpcContext context, ObjectSuggestRequest request) {
    int most = request.getLimit() > 0 ? Math.min(request.getLimit(), SUGGESTED) : SUGGESTED;
    String query = request.getQuery();
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                world
                    .directory()
                    .list(Kind.APP, there.key(), LISTED)
                    .thenApply(
                        entries ->
                            entries.stream()
                                .filter(there::holds)
                                .filter(AppInfoService::isDeployed)
                                .toList()))
        .thenCompose(
            deployed ->
                switch (request.getKind()) {
                  case OBJECT_SUGGEST_KIND_APP ->
                      CompletableFuture.completedStage(
                          answer(
                              NearNames.to(query, names(deployed), most).stream()
                                  .map(AppInfoService::app)));
                  case OBJECT_SUGGEST_KIND_FUNCTION -> functions(query, deployed, most);
                  case OBJECT_SUGGEST_KIND_SERVER, OBJECT_SUGGEST_KIND_UNSPECIFIED, UNRECOGNIZED ->
                      CompletableFuture.completedStage(answer(Stream.of()));
                });
  }

  private static boolean isDeployed(Entry entry) {
    return Phase.DEPLOYED.name().equals(entry.attributes().get(Attribute.PHASE))
        && !entry.name().isEmpty();
  }

  private static List<String> names(List<Entry> deployed) {
    return deployed.stream().map(Entry::name).toList();
  }

  /** Of {@code APP/FUNCTION}: functions of that app, or of those whose names are near. */
  private CompletionStage<ObjectSuggestResponse> functions(
      String query, List<Entry> deployed, int most) {
    int slash = query.indexOf('/');
    String app = slash < 0 ? query : query.substring(0, slash);
    String function = slash < 0 ? "" : query.substring(slash + 1);
    List<String> names = names(deployed);
    List<String> meant =
        names.contains(app) ? List.of(app) : NearNames.to(app, names, APPS_LOOKED_INTO);
    return Stages.each(
            deployed.stream().filter(entry -> meant.contains(entry.name())),
            entry -> apps.ask(new AppId(entry.id()), AppProtocol.Describe::new))
        .thenApply(
            views -> answer(views.stream().flatMap(view -> near(view, function)).limit(most)));
  }

  private static Stream<ObjectSuggestion> near(AppView app, String function) {
    List<String> names =
        app.functions().keySet().stream().filter(name -> !name.endsWith(".*")).sorted().toList();
    List<String> meant =
        function.isEmpty() || names.contains(function)
            ? names.stream().filter(name -> function.isEmpty() || name.equals(function)).toList()
            : NearNames.to(function, names, SUGGESTED);
    return meant.stream()
        .map(
            name ->
                ObjectSuggestion.newBuilder().setAppName(app.name()).setObjectName(name).build());
  }

  private static ObjectSuggestion app(String name) {
    return ObjectSuggestion.newBuilder().setObjectName(name).build();
  }

  private static ObjectSuggestResponse answer(Stream<ObjectSuggestion> suggestions) {
    return ObjectSuggestResponse.newBuilder()
        .addAllSuggestions(suggestions.collect(Collectors.toList()))
        .build();
  }
}
