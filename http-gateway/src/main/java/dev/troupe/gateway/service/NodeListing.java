package dev.troupe.gateway.service;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Attribute;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.MachineView;
import dev.troupe.actors.node.NodeProtocol.Placed;
import dev.troupe.actors.placement.PlacementProtocol;
import dev.troupe.actors.placement.PlacementProtocol.Waiter;
import dev.troupe.actors.placement.PlacementProtocol.Waiting;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;

/** What there is: machines with what they have and run, members of the cluster, and who waits. */
public final class NodeListing {

  private static final int MOST_MACHINES = 10_000;
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final World world;
  private final Apps apps;
  private final Duration patience;

  /** The listing of this world. */
  public NodeListing(World world) {
    this.world = world;
    this.apps = new Apps(world);
    this.patience = world.settings().askTimeout();
  }

  /** Names of the functions and apps that are listed, by id; what is not known has none. */
  private record Names(Map<FunctionId, Name> functions, Map<AppId, String> apps) {

    private Names {
      functions = Map.copyOf(functions);
      apps = Map.copyOf(apps);
    }
  }

  private record Name(String text, AppId app) {}

  /** All of it as it is now. */
  public CompletionStage<ObjectNode> list() {
    return machines().thenCombine(waiting(), this::named).thenCompose(listed -> listed);
  }

  private CompletionStage<ObjectNode> named(List<MachineView> machines, Map<String, Waiting> all) {
    return names(machines, all.values()).thenApply(names -> json(machines, all, names));
  }

  private CompletionStage<List<MachineView>> machines() {
    return world
        .directory()
        .list(Kind.MACHINE, "", MOST_MACHINES)
        .thenCompose(
            entries ->
                Stages.each(
                    entries.stream().sorted(Comparator.comparing(Entry::id)),
                    entry ->
                        world
                            .entities()
                            .machine(new MachineId(entry.id()))
                            .<MachineView>ask(NodeProtocol.Describe::new, patience)
                            .thenApply(view -> remembered(view, entry))));
  }

  /** Of a machine that has not been linked since its entity started, what it had is remembered. */
  private static MachineView remembered(MachineView view, Entry entry) {
    String cpuMillis = entry.attributes().getOrDefault(Attribute.CPU_MILLIS, "");
    if (view.linked() || view.capacity().cpuMillis() > 0 || cpuMillis.isEmpty()) {
      return view;
    }
    String gpus = entry.attributes().getOrDefault(Attribute.GPUS, "");
    Capacity had =
        new Capacity(
            Integer.parseInt(cpuMillis),
            Long.parseLong(entry.attributes().getOrDefault(Attribute.MEMORY_BYTES, "0")),
            gpus.isEmpty() ? List.of() : List.of(gpus.split(",")));
    return new MachineView(
        view.machine(),
        false,
        view.draining(),
        view.since(),
        view.condition(),
        had,
        new Capacity(0, 0, List.of()),
        view.labels(),
        view.images(),
        view.tasks());
  }

  /** Those who wait, by the pools in which some do. */
  private CompletionStage<Map<String, Waiting>> waiting() {
    return Stages.each(
            PlacementProtocol.pools().stream(),
            pool ->
                world
                    .entities()
                    .ref(PlacementProtocol.KEY, pool)
                    .<Waiting>ask(PlacementProtocol.ListWaiting::new, patience)
                    .thenApply(waiting -> Map.entry(pool, waiting)))
        .thenApply(
            all ->
                all.stream()
                    .filter(each -> !each.getValue().waiters().isEmpty())
                    .collect(
                        Collectors.toMap(
                            Map.Entry::getKey, Map.Entry::getValue, (a, _) -> a, TreeMap::new)));
  }

  // ---- names

  private CompletionStage<Names> names(
      List<MachineView> machines, java.util.Collection<Waiting> waiting) {
    Stream<FunctionId> placed =
        machines.stream()
            .flatMap(machine -> machine.tasks().stream())
            .map(at -> at.report().function());
    Stream<FunctionId> wanted =
        waiting.stream().flatMap(each -> each.waiters().stream()).map(Waiter::function);
    return Stages.each(Stream.concat(placed, wanted).distinct(), this::function)
        .thenApply(
            found ->
                found.stream()
                    .flatMap(each -> each.entrySet().stream())
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)))
        .thenCompose(
            functions ->
                Stages.each(functions.values().stream().map(Name::app).distinct(), this::app)
                    .thenApply(
                        found ->
                            new Names(
                                functions,
                                found.stream()
                                    .flatMap(each -> each.entrySet().stream())
                                    .collect(
                                        Collectors.toMap(
                                            Map.Entry::getKey, Map.Entry::getValue)))));
  }

  private CompletionStage<Map<FunctionId, Name>> function(FunctionId function) {
    return world
        .entities()
        .function(function)
        .<Description>ask(FunctionProtocol.Describe::new, patience)
        .handle(
            (described, _) ->
                described instanceof Description.Known(var latest, _, _)
                    ? Map.of(function, new Name(latest.name(), latest.app()))
                    : Map.<FunctionId, Name>of());
  }

  private CompletionStage<Map<AppId, String>> app(AppId app) {
    return apps.ask(app, AppProtocol.Describe::new)
        .handle(
            (view, failure) ->
                failure == null ? Map.of(app, AppViews.title(view)) : Map.<AppId, String>of());
  }

  // ---- JSON

  private ObjectNode json(List<MachineView> machines, Map<String, Waiting> waiting, Names names) {
    ObjectNode json = JSON.objectNode();
    ArrayNode listed = json.putArray("machines");
    machines.forEach(machine -> listed.add(machine(machine, names)));
    ArrayNode members = json.putArray("members");
    for (Member member : Cluster.get(world.system()).state().getMembers()) {
      ObjectNode each = members.addObject();
      each.put("address", member.address().toString());
      each.put("state", member.status().toString().toLowerCase(java.util.Locale.ROOT));
      ArrayNode roles = each.putArray("roles");
      member.getRoles().stream()
          .filter(role -> !role.startsWith("dc-"))
          .sorted()
          .forEach(roles::add);
    }
    ArrayNode waiters = json.putArray("waiting");
    waiting.forEach(
        (pool, all) -> all.waiters().forEach(waiter -> waiters.add(waiter(pool, waiter, names))));
    return json;
  }

  private static ObjectNode machine(MachineView machine, Names names) {
    Capacity all = machine.capacity();
    Capacity free = machine.free();
    ObjectNode json = JSON.objectNode();
    json.put("id", machine.machine().value());
    json.put("state", !machine.linked() ? "away" : machine.draining() ? "draining" : "ready");
    json.put("since", machine.since().toString());
    json.putObject("cpu")
        .put("total", all.cpuMillis() / 1000.0)
        .put("free", free.cpuMillis() / 1000.0);
    json.putObject("memory").put("total", all.memoryBytes()).put("free", free.memoryBytes());
    json.putObject("disk")
        .put("total", machine.condition().diskBytes())
        .put("free", machine.condition().diskFreeBytes());
    json.put("load", machine.condition().load());
    ArrayNode gpus = json.putArray("gpus");
    Map<String, Long> freeGpus = byType(free.gpus());
    byType(all.gpus())
        .forEach(
            (type, total) ->
                gpus.addObject()
                    .put("type", type)
                    .put("total", total)
                    .put("free", freeGpus.getOrDefault(type, 0L)));
    ObjectNode labels = json.putObject("labels");
    new TreeMap<>(machine.labels()).forEach(labels::put);
    ArrayNode containers = json.putArray("containers");
    machine.tasks().forEach(task -> containers.add(container(task, names)));
    return json;
  }

  private static Map<String, Long> byType(List<String> gpus) {
    return gpus.stream()
        .collect(Collectors.groupingBy(type -> type, TreeMap::new, Collectors.counting()));
  }

  private static ObjectNode container(Placed placed, Names names) {
    ObjectNode json = JSON.objectNode();
    json.put("task", placed.report().task().value());
    json.put("state", placed.report().running() ? "running" : "starting");
    json.put("since", placed.since().toString());
    add(json, placed.report().function(), placed.report().app(), names);
    ArrayNode gpus = json.putArray("gpus");
    placed.report().share().gpus().forEach(gpus::add);
    return json;
  }

  private static ObjectNode waiter(String pool, Waiter waiter, Names names) {
    ObjectNode json = JSON.objectNode();
    json.put("pool", pool);
    json.put("position", waiter.position());
    json.put("reason", waiter.reason());
    json.put("since", waiter.since().toString());
    json.put("task", waiter.task().value());
    Name name = names.functions().get(waiter.function());
    add(json, waiter.function(), name == null ? null : name.app(), names);
    return json;
  }

  private static void add(
      ObjectNode json,
      FunctionId function,
      @org.jspecify.annotations.Nullable AppId app,
      Names names) {
    Name name = names.functions().get(function);
    json.put("function_id", function.value());
    json.put("function", name == null ? "" : name.text());
    json.put("app_id", app == null ? "" : app.value());
    json.put("app", app == null ? "" : names.apps().getOrDefault(app, ""));
  }
}
