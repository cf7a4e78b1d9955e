package dev.troupe.serverimage;

import com.google.cloud.tools.jib.api.CacheDirectoryCreationException;
import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.ImageReference;
import com.google.cloud.tools.jib.api.InvalidImageReferenceException;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.JibContainer;
import com.google.cloud.tools.jib.api.JibContainerBuilder;
import com.google.cloud.tools.jib.api.RegistryException;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.TarImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import com.google.cloud.tools.jib.api.buildplan.FileEntriesLayer;
import com.google.cloud.tools.jib.api.buildplan.FilePermissions;
import com.google.cloud.tools.jib.api.buildplan.Port;
import com.google.cloud.tools.jib.frontend.CredentialRetrieverFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Puts the distribution and a Java runtime on a base image, and writes or pushes what results. */
@Command(
    name = "server-image",
    description = "Makes a container image of the server. No Docker is needed.",
    mixinStandardHelpOptions = true)
public final class ServerImage implements Callable<Integer> {

  private static final AbsoluteUnixPath HOME = AbsoluteUnixPath.get("/opt/troupe");
  private static final AbsoluteUnixPath JAVA = AbsoluteUnixPath.get("/opt/java");
  private static final AbsoluteUnixPath DATA = AbsoluteUnixPath.get("/var/lib/troupe");
  private static final String SETTINGS = "/etc/troupe/troupe.conf";
  private static final int PORT = 8420;

  @Option(
      names = "--base",
      paramLabel = "IMAGE",
      description = {
        "What it stands on: an image of a registry, or tar://FILE (default: ${DEFAULT-VALUE}).",
        "It needs bash; to run containers also runc, iproute2, nftables and mmdebstrap."
      },
      defaultValue = "debian:trixie-slim")
  private String base = "";

  @Option(
      names = "--to",
      paramLabel = "IMAGE",
      required = true,
      description = "Where it goes: tar://FILE, or its name in a registry.")
  private String to = "";

  @Option(
      names = "--name",
      paramLabel = "IMAGE",
      description = "Its name, where it goes to a file (default: ${DEFAULT-VALUE}).",
      defaultValue = "troupe:latest")
  private String name = "";

  @Option(
      names = "--java",
      paramLabel = "DIR",
      description = {
        "The Java runtime that goes into it (default: one that is made of this JDK).",
        "'none': the base has Java 25 or later, and JAVA_HOME names it."
      })
  private @Nullable String java;

  @Option(
      names = "--distribution",
      paramLabel = "DIR",
      description = "The distribution (default: ${DEFAULT-VALUE}).",
      defaultValue = "launcher/target/troupe")
  private Path distribution = Path.of("");

  @Option(
      names = "--settings",
      paramLabel = "FILE",
      description = "The settings in it (default: ${DEFAULT-VALUE}).",
      defaultValue = "deploy/image/troupe.conf")
  private Path settings = Path.of("");

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "Where layers and the runtime are kept for a next time.",
      defaultValue = "server-image/target/work")
  private Path work = Path.of("");

  @Option(
      names = "--allow-insecure-registries",
      description = "Speaks plain HTTP to a registry that has no TLS.")
  private boolean insecure;

  private ServerImage() {}

  /** Runs the command. */
  public static void main(String[] arguments) {
    CommandLine program = new CommandLine(new ServerImage());
    program.setExecutionExceptionHandler(
        (failure, command, _) -> {
          Throwable cause = failure instanceof ExecutionException ? failure.getCause() : failure;
          command.getErr().println("The image was not made: " + cause);
          return 1;
        });
    System.exit(program.execute(arguments));
  }

  @Override
  public Integer call()
      throws IOException,
          InvalidImageReferenceException,
          InterruptedException,
          RegistryException,
          CacheDirectoryCreationException,
          ExecutionException {
    if (!Files.isExecutable(distribution.resolve("bin/troupe-server"))) {
      throw new IOException("there is no distribution in " + distribution);
    }
    JibContainerBuilder image =
        from()
            .setEntrypoint(HOME.resolve("bin/troupe-server").toString())
            .setProgramArguments("up", "--data", DATA.toString(), "--config", SETTINGS)
            .addExposedPort(Port.tcp(PORT))
            .addVolume(DATA)
            .addLabel("org.opencontainers.image.title", "Troupe");
    if (!"none".equals(java)) {
      Path runtime = java == null ? JavaRuntime.in(work) : Path.of(java);
      image
          .addFileEntriesLayer(layer("java", runtime, JAVA, _ -> true))
          .addEnvironmentVariable("JAVA_HOME", JAVA.toString());
    }
    // What changes seldom lies below what changes with every release.
    JibContainer made =
        image
            .addFileEntriesLayer(layer("libraries", distribution, HOME, file -> !isOurs(file)))
            .addFileEntriesLayer(
                FileEntriesLayer.builder()
                    .setName("settings")
                    .addEntry(settings, AbsoluteUnixPath.get(SETTINGS))
                    .build())
            .addFileEntriesLayer(layer("server", distribution, HOME, ServerImage::isOurs))
            .containerize(containerizer());
    System.out.printf("%s is made: %s%n", made.getTargetImage(), made.getDigest());
    return 0;
  }

  private JibContainerBuilder from() throws InvalidImageReferenceException {
    if (base.startsWith("tar://")) {
      return Jib.from(TarImage.at(Path.of(base.substring("tar://".length()))));
    }
    return Jib.from(registry(base));
  }

  private Containerizer containerizer() throws InvalidImageReferenceException {
    Containerizer containerizer =
        to.startsWith("tar://")
            ? Containerizer.to(TarImage.at(Path.of(to.substring("tar://".length()))).named(name))
            : Containerizer.to(registry(to));
    return containerizer
        .setBaseImageLayersCache(work.resolve("base-layers"))
        .setApplicationLayersCache(work.resolve("layers"))
        .setAllowInsecureRegistries(insecure)
        .setToolName("troupe");
  }

  /** An image of a registry, with the credentials that Docker's settings have for it. */
  private static RegistryImage registry(String image) throws InvalidImageReferenceException {
    ImageReference reference = ImageReference.parse(image);
    return RegistryImage.named(reference)
        .addCredentialRetriever(
            CredentialRetrieverFactory.forImage(reference, _ -> {}).dockerConfig());
  }

  /** Our jars, the program and the sample of settings; the start cache is of another machine. */
  private static boolean isOurs(Path file) {
    String path = file.toString();
    return !path.startsWith("lib/") || path.startsWith("lib/troupe-");
  }

  /** A layer of the files of a folder, each with the permissions that it has there. */
  private static FileEntriesLayer layer(
      String name, Path folder, AbsoluteUnixPath target, Predicate<Path> wanted)
      throws IOException {
    FileEntriesLayer.Builder layer = FileEntriesLayer.builder().setName(name);
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        Path within = folder.relativize(file);
        if (wanted.test(within) && !within.endsWith("troupe.aot")) {
          layer.addEntry(
              file,
              target.resolve(within),
              FilePermissions.fromOctalString(isProgram(file) ? "755" : "644"));
        }
      }
    }
    return layer.build();
  }

  /** Whether its owner may run it; root could run anything. */
  private static boolean isProgram(Path file) throws IOException {
    return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OWNER_EXECUTE);
  }
}
