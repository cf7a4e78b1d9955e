package dev.troupe.node.image;

import dev.troupe.actors.image.BuildSteps.Source;
import dev.troupe.actors.image.RunMount;
import dev.troupe.actors.image.RunMount.Access;
import dev.troupe.actors.image.RunMount.Sharing;
import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.Mounts;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What the mounts of one {@code RUN} show, from before it begins until it is over. */
final class StepMounts implements AutoCloseable {

  private static final String ROOT = "/";

  private final ImageStore store;
  private final CacheMounts caches;
  private final StageSources sources;
  private final BuildInputs inputs;
  private final ImageRecord image;
  private final UnaryOperator<String> expand;

  private final List<Bind> binds = new ArrayList<>();
  private final List<BuildContainer.Content> contents = new ArrayList<>();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final Map<String, CacheMounts.Lease> leases = new TreeMap<>();
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  /**
   * None yet.
   *
   * @param expand gives the meaning of a word
   */
  StepMounts(
      ImageStore store,
      CacheMounts caches,
      StageSources sources,
      BuildInputs inputs,
      ImageRecord image,
      UnaryOperator<String> expand) {
    this.store = store;
    this.caches = caches;
    this.sources = sources;
    this.inputs = inputs;
    this.image = image;
    this.expand = expand;
  }

  List<Bind> binds() {
    return binds;
  }

  List<BuildContainer.Content> contents() {
    return contents;
  }

  /** Further variables of the step. */
  Map<String, String> environment() {
    return environment;
  }

  /**
   * What of the mounts makes a step another one: the files it is shown, not what is in caches and
   * secrets.
   */
  String key(List<RunMount> mounts) throws IOException, InterruptedException {
    StringBuilder key = new StringBuilder();
    for (RunMount mount : mounts) {
      key.append(mount).append(' ').append(expand.apply(mount.target())).append(' ');
      switch (mount) {
        case RunMount.Bind bind -> key.append(content(bind.from(), expand.apply(bind.source())));
        case RunMount.Cache cache -> key.append(cacheKey(cache));
        case RunMount.Secret secret -> key.append(expand.apply(secret.id()));
        case RunMount.Memory _ -> {}
      }
      key.append('\n');
    }
    return key.toString();
  }

  private String content(Source from, String source) throws IOException, InterruptedException {
    if (from instanceof Source.EarlierStage(var index)) {
      return sources.layersOf(index) + " " + source;
    }
    try (StageSources.Opened opened = sources.open(from, image)) {
      CopySources all = new CopySources(opened.roots());
      return all.digest(all.find(source));
    }
  }

  private String cacheKey(RunMount.Cache cache) throws IOException, InterruptedException {
    String id = expand.apply(cache.id().isEmpty() ? cache.target() : cache.id());
    Source from = cache.from();
    return from == null ? id : id + " " + content(from, expand.apply(cache.source()));
  }

  /** Makes them ready. */
  void prepare(List<RunMount> mounts) throws IOException, InterruptedException {
    leaseCaches(mounts);
    for (RunMount mount : mounts) {
      switch (mount) {
        case RunMount.Bind bind -> bind(bind);
        case RunMount.Cache cache ->
            binds.add(new Bind(lease(cacheKey(cache)).folder(), target(cache), cache.readOnly()));
        case RunMount.Secret secret -> secret(secret);
        case RunMount.Memory memory -> memory(memory);
      }
    }
  }

  private String target(RunMount mount) throws BuildFailure {
    Path target = Path.of(image.directory()).resolve(expand.apply(mount.target())).normalize();
    if (!target.isAbsolute() || target.getNameCount() == 0) {
      throw new BuildFailure("Nothing can be mounted at '%s'.".formatted(mount.target()));
    }
    return target.toString();
  }

  // ---- files

  private void bind(RunMount.Bind bind) throws IOException, InterruptedException {
    LayerMount files = keep(sources.merged(bind.from(), image));
    String source = Path.of(ROOT).resolve(expand.apply(bind.source())).normalize().toString();
    Path place = files.files().resolve(source);
    if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
      throw new BuildFailure("There is no file '%s' to be mounted.".formatted(bind.source()));
    }
    binds.add(new Bind(place, target(bind), bind.readOnly()));
  }

  private <T extends AutoCloseable> T keep(T opened) {
    open.push(opened);
    return opened;
  }

  // ---- caches

  /**
   * In one order for all, so that no two steps wait for each other; one that is named twice once.
   */
  private void leaseCaches(List<RunMount> mounts) throws IOException, InterruptedException {
    Map<String, RunMount.Cache> wanted = new TreeMap<>();
    for (RunMount mount : mounts) {
      if (mount instanceof RunMount.Cache cache) {
        wanted.merge(
            cacheKey(cache), cache, (one, other) -> one.sharing() == Sharing.SHARED ? other : one);
      }
    }
    for (Map.Entry<String, RunMount.Cache> each : wanted.entrySet()) {
      RunMount.Cache cache = each.getValue();
      CacheMounts.Lease lease =
          caches.lease(
              each.getKey(), cache.sharing(), cache.access(), folder -> begin(cache, folder));
      leases.put(each.getKey(), keep(lease));
    }
  }

  private void begin(RunMount.Cache cache, Path folder) throws IOException, InterruptedException {
    Source from = cache.from();
    if (from == null) {
      return;
    }
    try (StageSources.Opened opened = sources.open(from, image)) {
      for (Path source : new CopySources(opened.roots()).find(expand.apply(cache.source()))) {
        if (!Files.isDirectory(source, LinkOption.NOFOLLOW_LINKS)) {
          throw new BuildFailure(
              "'%s' is no folder that a cache can begin with.".formatted(cache.source()));
        }
        new FileCopier(new RootFolder(folder), null, null).copy(source, ROOT);
      }
    }
  }

  private CacheMounts.Lease lease(String key) {
    CacheMounts.Lease lease = leases.get(key);
    if (lease == null) {
      throw new IllegalStateException("no lease of " + key);
    }
    return lease;
  }

  // ---- secrets and memory

  private void secret(RunMount.Secret secret) throws BuildFailure {
    String id = expand.apply(secret.id());
    @Nullable String value = inputs.secrets().get(id);
    if (value == null) {
      if (secret.required()) {
        throw new BuildFailure(
            "The step needs the secret '%s', and no secret of the image has a variable of that name: give it one by secrets=[...]."
                .formatted(id));
      }
      return;
    }
    if (!secret.variable().isEmpty()) {
      environment.put(secret.variable(), value);
    }
    if (!secret.target().isEmpty()) {
      Access access = secret.access();
      contents.add(
          new BuildContainer.Content(
              value.getBytes(StandardCharsets.UTF_8), target(secret), access));
    }
  }

  private void memory(RunMount.Memory memory) throws IOException {
    Path folder = store.newFolder();
    keep(() -> release(folder));
    Mounts.mountMemory(folder, memory.bytes());
    binds.add(new Bind(folder, target(memory), false));
  }

  private static void release(Path folder) throws IOException {
    Mounts.unmountAllBelow(folder);
    FileTree.delete(folder);
  }

  @Override
  public void close() throws IOException {
    @Nullable IOException failure = null;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (IOException failed) {
        failure = failed;
      } catch (Exception unexpected) {
        failure = new IOException(unexpected);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
