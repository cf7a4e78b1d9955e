package dev.troupe.node.image;

import dev.troupe.actors.image.BuildSteps.Copy;
import dev.troupe.actors.image.BuildSteps.InlineFile;
import dev.troupe.actors.image.BuildSteps.Source;
import dev.troupe.node.image.FileCopier.Owner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** {@code COPY} and {@code ADD}: finds what is copied, and makes a layer of it. */
final class CopyStep {

  private final ImageStore store;
  private final UvTool uv;
  private final BaseImages bases;
  private final BuildInputs inputs;
  private final List<ImageRecord> stages;
  private final Consumer<String> log;

  /**
   * @param stages those before the one that copies
   */
  CopyStep(
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

  /** The image with the copied files; {@code expand} gives the meaning of a word. */
  ImageRecord copy(ImageRecord image, Copy copy, UnaryOperator<String> expand)
      throws IOException, InterruptedException {
    return switch (copy.from()) {
      case Source.Context() -> copy(image, copy, expand, inputs.context());
      case Source.RegistryImage(var reference) ->
          copyFrom(bases.registry(reference, inputs.registrySecret(), log), image, copy, expand);
      case Source.Uv(var version) ->
          copy(
              image,
              copy,
              expand,
              List.of(new RootFolder(uv.ensure(image, version, inputs.fresh(), log))));
      case Source.EarlierStage(var index) -> copyFrom(stages.get(index), image, copy, expand);
    };
  }

  private ImageRecord copyFrom(
      ImageRecord other, ImageRecord image, Copy copy, UnaryOperator<String> expand)
      throws IOException {
    try (LayerMount mount = LayerMount.of(store, store.layersOf(other))) {
      return copy(image, copy, expand, List.of(mount.files()));
    }
  }

  private ImageRecord copy(
      ImageRecord image, Copy copy, UnaryOperator<String> expand, List<RootFolder> roots)
      throws IOException {
    CopySources all = new CopySources(roots);
    List<Path> sources = new ArrayList<>();
    for (String word : copy.sources()) {
      sources.addAll(all.find(expand.apply(word)));
    }
    String target = expand.apply(copy.target());
    String owner = expand.apply(copy.owner());
    String key =
        inputs.key(
            image,
            "copy",
            CopySources.digest(sources),
            copy.inline().toString(),
            image.directory(),
            target,
            owner,
            String.valueOf(copy.mode()));
    if (store.hasLayer(key)) {
      return image.withLayer(key);
    }
    try (LayerMount mount = LayerMount.of(store, store.layersOf(image))) {
      RootFolder into = mount.files();
      boolean fromContext = copy.from() instanceof Source.Context;
      FileCopier copier = new FileCopier(into, owner(into, owner, fromContext), copy.mode());
      String place = Path.of(image.directory()).resolve(target).normalize().toString();
      boolean several = sources.size() + copy.inline().size() > 1;
      boolean folder =
          several || target.endsWith("/") || target.endsWith("/.") || into.isFolder(place);
      for (Path source : sources) {
        copier.copy(source, place(source, place, folder));
      }
      for (InlineFile file : copy.inline()) {
        write(copier, file, folder ? Path.of(place).resolve(file.name()).toString() : place);
      }
      mount.publish(store, key);
    }
    return image.withLayer(key);
  }

  /** Of a folder the content is copied, of a file the file. */
  private static String place(Path source, String target, boolean intoFolder) {
    boolean isFile = !Files.isDirectory(source, LinkOption.NOFOLLOW_LINKS);
    return isFile && intoFolder ? Path.of(target).resolve(source.getFileName()).toString() : target;
  }

  private void write(FileCopier copier, InlineFile file, String target) throws IOException {
    Path folder = store.newFolder();
    Path source = folder.resolve("inline");
    Files.writeString(source, file.text());
    LayerFolders.setMode(source, 0644);
    copier.copy(source, target);
    Files.delete(source);
    Files.delete(folder);
  }

  /** What comes from outside belongs to root; what another stage has keeps its owner. */
  private static @Nullable Owner owner(RootFolder files, String text, boolean fromContext)
      throws IOException {
    if (text.isEmpty()) {
      return fromContext ? new Owner(0, 0) : null;
    }
    String[] parts = text.split(":", 2);
    int user = number(files, "/etc/passwd", parts[0]);
    int group = parts.length < 2 ? groupOf(files, user) : number(files, "/etc/group", parts[1]);
    return new Owner(user, group);
  }

  private static int number(RootFolder files, String table, String name) throws IOException {
    if (name.matches("\\d{1,9}")) {
      return Integer.parseInt(name);
    }
    return files
        .read(table)
        .lines()
        .map(line -> line.split(":"))
        .filter(fields -> fields.length > 2 && fields[0].equals(name))
        .map(fields -> Integer.parseInt(fields[2]))
        .findFirst()
        .orElseThrow(() -> new BuildFailure("'%s' is not in %s.".formatted(name, table)));
  }

  private static int groupOf(RootFolder files, int user) throws IOException {
    return files
        .read("/etc/passwd")
        .lines()
        .map(line -> line.split(":"))
        .filter(fields -> fields.length > 3 && fields[2].equals(Integer.toString(user)))
        .map(fields -> Integer.parseInt(fields[3]))
        .findFirst()
        .orElse(user);
  }
}
