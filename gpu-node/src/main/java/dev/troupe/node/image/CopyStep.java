package dev.troupe.node.image;

import dev.troupe.actors.image.BuildSteps.Adding;
import dev.troupe.actors.image.BuildSteps.Copy;
import dev.troupe.actors.image.BuildSteps.InlineFile;
import dev.troupe.actors.image.BuildSteps.Source;
import dev.troupe.node.image.FileCopier.Owner;
import dev.troupe.node.image.oci.Archives;
import dev.troupe.node.image.oci.ImageSettings;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** {@code COPY} and {@code ADD}: finds what is copied, and makes a layer of it. */
final class CopyStep {

  private final ImageStore store;
  private final StageSources sources;
  private final Downloads downloads;
  private final ImageSettings settings;
  private final BuildInputs inputs;

  CopyStep(
      ImageStore store,
      StageSources sources,
      Downloads downloads,
      ImageSettings settings,
      BuildInputs inputs) {
    this.store = store;
    this.sources = sources;
    this.downloads = downloads;
    this.settings = settings;
    this.inputs = inputs;
  }

  /**
   * What is copied.
   *
   * @param files files, folders and links
   * @param archives whose content is copied
   * @param key tells them from others
   */
  private record Found(List<Path> files, List<Path> archives, String key) {
    int count() {
      return files.size() + archives.size();
    }
  }

  /** The image with the copied files; {@code expand} gives the meaning of a word. */
  ImageRecord copy(ImageRecord image, Copy copy, UnaryOperator<String> expand)
      throws IOException, InterruptedException {
    Path fetched = store.newFolder();
    try (StageSources.Opened opened = sources.open(copy.from(), image)) {
      CopySources all = new CopySources(opened.roots());
      String target = expand.apply(copy.target());
      String owner = expand.apply(copy.owner());
      UnaryOperator<String> key =
          content ->
              inputs.key(
                  image,
                  "copy",
                  content,
                  copy.inline().toString(),
                  image.directory(),
                  target,
                  owner,
                  String.valueOf(copy.mode()));
      Optional<String> promised = promised(copy, expand).map(key).filter(store::hasLayer);
      if (promised.isPresent()) {
        return image.withLayer(promised.get());
      }
      Found found = find(copy, expand, all, fetched);
      String layer = key.apply(found.key());
      if (!store.hasLayer(layer)) {
        publish(image, copy, found, target, owner, layer);
      }
      return image.withLayer(layer);
    } finally {
      FileTree.delete(fetched);
    }
  }

  /** The key of what a checksum promises, which need not be fetched to be known. */
  private static Optional<String> promised(Copy copy, UnaryOperator<String> expand)
      throws BuildFailure {
    Adding adding = copy.adding();
    if (adding == null || adding.checksum().isEmpty()) {
      return Optional.empty();
    }
    String address = expand.apply(copy.sources().getFirst());
    if (!Adding.isAddress(address)) {
      throw new BuildFailure("--checksum is for an address, and '%s' is none.".formatted(address));
    }
    return Optional.of(
        String.join(" ", Downloads.nameOf(address), adding.checksum(), unpacking(adding)));
  }

  private static String unpacking(Adding adding) {
    return "unpack=" + adding.unpack();
  }

  private Found find(Copy copy, UnaryOperator<String> expand, CopySources all, Path fetched)
      throws IOException {
    Adding adding = copy.adding();
    List<Path> files = new ArrayList<>();
    List<Path> archives = new ArrayList<>();
    for (String word : copy.sources()) {
      String source = expand.apply(word);
      boolean isAddress = adding != null && Adding.isAddress(source);
      List<Path> paths = isAddress ? List.of(fetch(source, copy, fetched)) : all.find(source);
      boolean mayUnpack =
          adding != null && (adding.unpack() == null ? !isAddress : adding.unpack());
      for (Path path : paths) {
        (mayUnpack && Archives.isArchive(path) ? archives : files).add(path);
      }
    }
    if (adding != null && !adding.checksum().isEmpty()) {
      return new Found(files, archives, promised(copy, expand).orElseThrow());
    }
    String key = all.digest(files);
    return new Found(
        files, archives, archives.isEmpty() ? key : key + " unpacked " + all.digest(archives));
  }

  /** Fetches a file into a folder of its own, and checks what came. */
  private Path fetch(String address, Copy copy, Path fetched) throws IOException {
    String name = Downloads.nameOf(address);
    if (Adding.isRepository(address)) {
      throw new BuildFailure(
          "'%s' is a repository of git, which ADD does not take; RUN git clone does."
              .formatted(address));
    }
    if (name.isEmpty() && copy.target().endsWith("/")) {
      throw new BuildFailure(
          "'%s' names no file: give it a name by a target without a slash at its end."
              .formatted(address));
    }
    Path file = Files.createTempDirectory(fetched, "").resolve(name.isEmpty() ? "download" : name);
    downloads.fetch(address, file);
    Adding adding = copy.adding();
    if (adding != null && !adding.checksum().isEmpty()) {
      String came = "sha256:" + FileTree.sha256(file);
      if (!came.equals(adding.checksum())) {
        throw new BuildFailure(
            "%s has the digest %s, and --checksum says %s."
                .formatted(address, came, adding.checksum()));
      }
    }
    return file;
  }

  private void publish(
      ImageRecord image, Copy copy, Found found, String target, String owner, String key)
      throws IOException {
    try (LayerMount mount = LayerMount.of(store, store.layersOf(image))) {
      RootFolder into = mount.files();
      boolean fromContext = copy.from() instanceof Source.Context;
      FileCopier copier = new FileCopier(into, owner(into, owner, fromContext), copy.mode());
      String place = Path.of(image.directory()).resolve(target).normalize().toString();
      boolean several = found.count() + copy.inline().size() > 1;
      boolean folder =
          several || target.endsWith("/") || target.endsWith("/.") || into.isFolder(place);
      for (Path source : found.files()) {
        copier.copy(source, place(source, place, folder));
      }
      // What is in an archive belongs to whom the archive says.
      FileCopier unpacker = new FileCopier(into, owner(into, owner, false), copy.mode());
      for (Path archive : found.archives()) {
        unpack(unpacker, archive, place);
      }
      for (InlineFile file : copy.inline()) {
        write(copier, file, folder ? Path.of(place).resolve(file.name()).toString() : place);
      }
      mount.publish(store, key);
    }
  }

  private void unpack(FileCopier copier, Path archive, String target) throws IOException {
    Path folder = store.newFolder();
    try {
      Archives.unpack(archive, folder, settings);
      copier.copy(folder, target);
    } finally {
      FileTree.delete(folder);
    }
  }

  /** Of a folder the content is copied, of a file the file. */
  private static String place(Path source, String target, boolean intoFolder) {
    boolean isFile = !Files.isDirectory(source, LinkOption.NOFOLLOW_LINKS);
    return isFile && intoFolder ? Path.of(target).resolve(source.getFileName()).toString() : target;
  }

  private void write(FileCopier copier, InlineFile file, String target) throws IOException {
    Path folder = store.newFolder();
    try {
      Path source = folder.resolve("inline");
      Files.writeString(source, file.text());
      LayerFolders.setMode(source, 0644);
      copier.copy(source, target);
    } finally {
      FileTree.delete(folder);
    }
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
