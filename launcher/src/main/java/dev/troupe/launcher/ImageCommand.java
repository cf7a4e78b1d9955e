package dev.troupe.launcher;

import com.sun.security.auth.module.UnixSystem;
import com.typesafe.config.Config;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.oci.ImageSettings;
import dev.troupe.node.image.oci.LocalImages;
import dev.troupe.node.image.oci.OciImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Handles the images on this machine's disk, as its administrator. */
@Command(
    name = "image",
    description = {
      "Handles the images on this machine's disk: brings them in and writes them out as OCI image"
          + " layouts, lists them, and frees the disk of what no image needs.",
      "All work while the server runs."
    },
    mixinStandardHelpOptions = true,
    subcommands = {
      ImageCommand.Import.class,
      ImageCommand.Listing.class,
      ImageCommand.Export.class,
      ImageCommand.Collect.class
    })
final class ImageCommand implements Callable<Integer> {

  @Override
  public Integer call() {
    throw new Refusal("Say what to do: import, list, export or gc. See image --help.");
  }

  /** Where the images are: what all of the commands take. */
  abstract static class Work implements Callable<Integer> {

    @Option(
        names = "--data",
        paramLabel = "DIR",
        description =
            "The data directory of the server, or of an agent (default: ${DEFAULT-VALUE}).",
        defaultValue = "data")
    private Path data = Path.of("data");

    @Option(
        names = "--config",
        paramLabel = "FILE",
        description = "Settings; see conf/troupe.conf.")
    private @Nullable Path file;

    /** The directory of the agent, which is the server's own where the server is meant. */
    final Path agent() {
      Path root = data.toAbsolutePath().normalize();
      Path agent = Files.exists(root.resolve("machine-id")) ? root : root.resolve("agent");
      if (!Files.isDirectory(agent)) {
        throw new Refusal(
            "There are no images in %s: no server and no agent has run on it yet.".formatted(root));
      }
      return agent;
    }

    final LocalImages images() throws IOException {
      if (new UnixSystem().getUid() != 0) {
        throw new Refusal("Images belong to root. Run it as root, for example with sudo.");
      }
      Config config =
          LauncherSettings.load(
              data.toAbsolutePath().normalize(),
              LauncherSettings.Listening.BY_SETTINGS,
              file,
              true);
      return LocalImages.of(agent(), ImageSettings.from(config.getConfig("troupe")));
    }

    abstract void work() throws IOException, InterruptedException;

    @Override
    public final Integer call() throws IOException, InterruptedException {
      try {
        work();
        return 0;
      } catch (BuildFailure refused) {
        throw new Refusal(String.valueOf(refused.getMessage()));
      }
    }

    static String size(long bytes) {
      return "%.1f MiB".formatted(bytes / (double) (1 << 20));
    }
  }

  /** Brings an image in. */
  @Command(
      name = "import",
      description = {
        "Brings in an image from an OCI image layout, a folder or a tar of one, as skopeo, buildah"
            + " and docker save write it.",
        "From then on builds that name it take it, and ask no registry."
      },
      mixinStandardHelpOptions = true)
  static final class Import extends Work {

    @Parameters(paramLabel = "DIR|TAR", description = "The layout.")
    private Path from = Path.of("");

    @Option(
        names = "--name",
        paramLabel = "REF",
        description = "The image's name in builds (default: the one that the layout gives it).")
    private @Nullable String name;

    @Option(
        names = "--tag",
        paramLabel = "TAG",
        description = "Which of the layout's images, where it has several.")
    private @Nullable String tag;

    @Override
    void work() throws IOException, InterruptedException {
      OciImage image =
          images()
              .bring(
                  from.toAbsolutePath().normalize(),
                  Optional.ofNullable(tag),
                  Optional.ofNullable(name),
                  System.out::print);
      System.out.printf("%s is here: %s%n", image.name(), image.digest());
    }
  }

  /** Lists the images. */
  @Command(
      name = "list",
      description = "Lists the images: id or name, number of layers, size.",
      mixinStandardHelpOptions = true)
  static final class Listing extends Work {

    @Option(names = "--layers", description = "Each image's layers, too, lowest first.")
    private boolean withLayers;

    @Override
    void work() throws IOException {
      List<LocalImages.Listed> all = images().list();
      if (all.isEmpty()) {
        System.out.println("There are no images yet.");
      }
      for (LocalImages.Listed image : all) {
        System.out.printf(
            Locale.ROOT,
            "%-60s %3d layers %12s%n",
            image.name(),
            image.layers().size(),
            size(image.bytes()));
        if (withLayers) {
          image.layers().forEach(layer -> System.out.println("    " + layer));
        }
      }
    }
  }

  /** Writes an image out. */
  @Command(
      name = "export",
      description = "Writes an image as an OCI image layout, which skopeo and others can push.",
      mixinStandardHelpOptions = true)
  static final class Export extends Work {

    @Parameters(
        index = "0",
        paramLabel = "ID",
        description = "An image: its id, im-..., or its name.")
    private String image = "";

    @Parameters(
        index = "1",
        paramLabel = "DIR",
        description = "A folder that is empty or not there.")
    private Path to = Path.of("");

    @Override
    void work() throws IOException {
      System.out.println(images().write(image, to.toAbsolutePath().normalize()));
    }
  }

  /** Frees the disk of layers that no image names, and of cache mounts. */
  @Command(
      name = "gc",
      description = {
        "Removes the layers that no image names, what failed builds and moved tags left behind,"
            + " and all that builds keep by RUN --mount=type=cache.",
        "The server, or agent, may run; while it builds images, this is refused."
      },
      mixinStandardHelpOptions = true)
  static final class Collect extends Work {

    @Override
    void work() throws IOException {
      LocalImages.Freed freed = images().collect();
      System.out.printf(
          Locale.ROOT,
          "%d layers and %d cache mounts removed, %s.%n",
          freed.layers().size(),
          freed.caches(),
          size(freed.bytes()));
    }
  }
}
