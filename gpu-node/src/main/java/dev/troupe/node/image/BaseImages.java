package dev.troupe.node.image;

import dev.troupe.actors.id.Ids;
import dev.troupe.actors.image.BuildSteps;
import dev.troupe.node.image.oci.Credentials;
import dev.troupe.node.image.oci.OciImage;
import dev.troupe.node.image.oci.RegistryImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** What images begin with. */
final class BaseImages {

  private static final String PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin";

  private static final String SERVED_SERIES =
      String.join(" and ", BuildSteps.PYTHON_TO_DEBIAN.keySet());

  private final ImageStore store;
  private final PythonFacts facts;
  private final RegistryImages registries;

  BaseImages(ImageStore store, PythonFacts facts, RegistryImages registries) {
    this.store = store;
    this.facts = facts;
    this.registries = registries;
  }

  /** An image of a registry; the secret may have a user and a password for it. */
  ImageRecord registry(String reference, Map<String, String> secret, Consumer<String> log)
      throws IOException, InterruptedException {
    OciImage image;
    try {
      image = registries.get(reference, Credentials.of(secret), log);
    } catch (BuildFailure refused) {
      throw new BuildFailure(
          "%s (Without any registry this server makes images with Python %s, as in debian_slim(python_version=\"3.13\").)"
              .formatted(refused.getMessage(), SERVED_SERIES));
    }
    if (!image.user().isEmpty() && !image.user().matches("0|root|0:0|root:root")) {
      log.accept(
          "Its user %s is passed over: functions and steps run as root.%n".formatted(image.user()));
    }
    List<String> layers = new ArrayList<>(List.of(skeleton()));
    layers.addAll(image.layers());
    Map<String, String> environment = new LinkedHashMap<>(image.environment());
    environment.putIfAbsent("PATH", PATH);
    return ImageRecord.NOTHING
        .withLayers(layers)
        .withEnvironment(environment)
        .withDirectory(image.workingDirectory())
        .withEntryPoint(image.entrypoint())
        .withCommand(image.command())
        .withShell(image.shell());
  }

  /** The image that stands in for the official one of a Python series. */
  ImageRecord python(BuildSteps.Python python, Consumer<String> log)
      throws IOException, InterruptedException {
    String release = BuildSteps.PYTHON_TO_DEBIAN.getOrDefault(python.series(), "");
    String skeleton = skeleton();
    String key = "base-" + Ids.contentKey("debian", DebianRecipe.VERSION, python.series(), release);
    store.ensure(
        key, () -> store.make(key, folder -> DebianRecipe.make(python.series(), folder, log)));
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("PATH", PATH);
    environment.put("LANG", "C.UTF-8");
    ImageRecord base =
        ImageRecord.NOTHING
            .withLayers(List.of(skeleton, key))
            .withEnvironment(environment)
            .withCommand(List.of("python3"));
    ImageRecord known = facts.of(base);
    environment.put("PYTHON_VERSION", known.pythonVersion().replace("Python ", ""));
    return known.withEnvironment(environment);
  }

  /** An image without anything but what every container needs. */
  ImageRecord scratch() throws IOException, InterruptedException {
    return ImageRecord.NOTHING
        .withLayers(List.of(skeleton()))
        .withEnvironment(Map.of("PATH", PATH));
  }

  /** The lowest layer of every image: what the machine binds into containers has a place in it. */
  private String skeleton() throws IOException, InterruptedException {
    String key = "skeleton-1";
    store.ensure(key, () -> store.make(key, BaseImages::fillSkeleton));
    return key;
  }

  private static void fillSkeleton(Path folder) throws IOException {
    for (String name : List.of("run/troupe", "etc/troupe", "proc", "sys", "dev", "tmp", "root")) {
      LayerFolders.folder(folder, Path.of(name));
    }
    for (String name : List.of("etc/hosts", "etc/resolv.conf", "etc/troupe/ca-certificates.crt")) {
      Files.createFile(folder.resolve(name));
    }
  }
}
