package dev.troupe.node.image;

import dev.troupe.actors.image.BuildSteps.Source;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/** What the steps of a stage may take files from: the context, earlier stages, other images. */
final class StageSources {

  private final ImageStore store;
  private final UvTool uv;
  private final BaseImages bases;
  private final BuildInputs inputs;
  private final List<ImageRecord> stages;
  private final Consumer<String> log;

  /**
   * @param stages those before the one that asks
   */
  StageSources(
      ImageStore store,
      UvTool uv,
      BaseImages bases,
      BuildInputs inputs,
      List<ImageRecord> stages,
      Consumer<String> log) {
    this.store = store;
    this.uv = uv;
    this.bases = bases;
    this.inputs = inputs;
    this.stages = stages;
    this.log = log;
  }

  /**
   * Folders of a source, until closed.
   *
   * @param roots a later one over an earlier
   */
  record Opened(List<RootFolder> roots, LayerMount... mounts) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      for (LayerMount mount : mounts) {
        mount.close();
      }
    }
  }

  /** Opens one; {@code image} is that of the step that asks. */
  Opened open(Source from, ImageRecord image) throws IOException, InterruptedException {
    return switch (from) {
      case Source.Context() -> new Opened(inputs.context());
      case Source.Uv(var version) ->
          new Opened(List.of(new RootFolder(uv.ensure(image, version, inputs.fresh(), log))));
      case Source.RegistryImage(var reference) ->
          mounted(bases.registry(reference, inputs.registrySecret(), log));
      case Source.EarlierStage(var index) -> mounted(stages.get(index));
    };
  }

  /** The layers of an earlier stage, for keys. */
  String layersOf(int stage) {
    return String.join(" ", stages.get(stage).layers());
  }

  private Opened mounted(ImageRecord other) throws IOException {
    LayerMount mount = LayerMount.of(store, store.layersOf(other));
    return new Opened(List.of(mount.files()), mount);
  }

  /**
   * Opens one as a folder like an image's, which may be changed: what is written there is gone when
   * it is closed.
   */
  LayerMount merged(Source from, ImageRecord image) throws IOException, InterruptedException {
    if (from instanceof Source.EarlierStage(var index)) {
      return LayerMount.of(store, store.layersOf(stages.get(index)));
    }
    if (from instanceof Source.RegistryImage(var reference)) {
      return LayerMount.of(
          store, store.layersOf(bases.registry(reference, inputs.registrySecret(), log)));
    }
    try (Opened opened = open(from, image)) {
      return LayerMount.of(store, opened.roots().stream().map(RootFolder::path).toList());
    }
  }
}
