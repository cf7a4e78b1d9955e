package dev.troupe.node.image.oci;

import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageStore;
import dev.troupe.node.image.oci.Manifests.Index;
import dev.troupe.node.image.oci.Manifests.Manifest;
import dev.troupe.node.image.oci.ReferenceBook.Known;
import dev.troupe.node.image.oci.RegistryRefusal.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Images of registries, by name. What comes is checked by digest and length and unpacked into the
 * {@link ImageStore}, a layer a folder. Safe for many threads: layers that are on their way are
 * waited for, not fetched twice. Blocking; meant for virtual threads, and ended by an interrupt.
 *
 * <p>A name that a person has imported stands for what was imported. A tag is asked for anew at
 * each call; where no registry answers, what was got before without credentials is taken. What was
 * got with credentials is given only to who has some that the registry takes.
 */
public final class RegistryImages {

  private static final String FOLDER = "references";

  private final ImageStore store;
  private final ReferenceBook references;
  private final ImageSettings settings;
  private final LayerIntake intake;
  private final HttpClient http;
  private final Registry.Patience patience;
  private final Platform platform = Platform.ofThisMachine();

  private RegistryImages(
      ImageStore store, Path folder, ImageSettings settings, Registry.Patience patience)
      throws IOException {
    this.store = store;
    this.http = Registry.client(settings);
    this.references = book(folder);
    this.settings = settings;
    this.patience = patience;
    this.intake = new LayerIntake(store, settings.layerLimits(), settings.parallelTransfers());
  }

  /**
   * Those of a machine.
   *
   * @param folder of its images, in which the names are kept
   */
  public static RegistryImages open(ImageStore store, Path folder, ImageSettings settings)
      throws IOException {
    return open(store, folder, settings, Registry.Patience.USUAL);
  }

  static RegistryImages open(
      ImageStore store, Path folder, ImageSettings settings, Registry.Patience patience)
      throws IOException {
    return new RegistryImages(store, folder, settings, patience);
  }

  static ReferenceBook book(Path folder) {
    return new ReferenceBook(folder.resolve(FOLDER));
  }

  /**
   * The image of this name for this machine, its layers in the store.
   *
   * @param reference as the client's user wrote it
   * @param log hears, a line a time, what is done
   * @throws BuildFailure for what the user, or who runs the machine, can mend; its sentence says
   *     how
   */
  public OciImage get(String reference, Optional<Credentials> credentials, Consumer<String> log)
      throws IOException, InterruptedException {
    ImageName name = ImageName.parse(reference);
    Optional<Known> known = references.find(name).filter(this::isHere);
    if (known
        .filter(one -> one.imported() || (one.open() && name.digest().isPresent()))
        .isPresent()) {
      return known.get().image();
    }
    Optional<OciImage> open = known.filter(Known::open).map(Known::image);
    if (settings.offline()) {
      return open.orElseThrow(() -> new BuildFailure(offline(name, known.isPresent())));
    }
    try {
      return fetch(name, credentials, log);
    } catch (RegistryRefusal refusal) {
      if (refusal.reason() == Reason.UNAVAILABLE && open.isPresent()) {
        log.accept("%s Taking %s as it was.%n".formatted(refusal.getMessage(), name));
        return open.get();
      }
      throw new BuildFailure(String.valueOf(refusal.getMessage()));
    } catch (Damaged damaged) {
      throw new BuildFailure(String.valueOf(damaged.getMessage()));
    }
  }

  private boolean isHere(Known known) {
    return known.image().layers().stream().allMatch(store::hasLayer);
  }

  private static String offline(ImageName name, boolean known) {
    return known
        ? "%s is here, but was got with credentials, which nobody checks while troupe.images.offline is set. Import it to give it to all: troupe image import."
            .formatted(name)
        : "%s is not on this machine, and troupe.images.offline keeps it from asking a registry. Import it: troupe image import DIR --name %s."
            .formatted(name, name);
  }

  private OciImage fetch(ImageName name, Optional<Credentials> credentials, Consumer<String> log)
      throws IOException, InterruptedException {
    List<Registry> places = places(name, credentials);
    List<String> refusals = new ArrayList<>();
    for (int i = 0; i < places.size(); i++) {
      try {
        return fetch(name, credentials, places, i, log);
      } catch (RegistryRefusal refusal) {
        if (i + 1 == places.size()) {
          refusals.add(refusal.getMessage());
          throw new RegistryRefusal(refusal.reason(), String.join(" ", refusals));
        }
        refusals.add("Mirror: " + refusal.getMessage());
      }
    }
    throw new IllegalStateException("no place to ask");
  }

  /** The mirrors, without credentials, and then the registry. */
  private List<Registry> places(ImageName name, Optional<Credentials> credentials) {
    List<Registry> places = new ArrayList<>();
    for (URI mirror : settings.mirrorsOf(name)) {
      String prefix = mirror.getRawPath().replaceAll("^/+|/+$", "");
      places.add(
          new Registry(
              http,
              patience,
              URI.create(mirror.getScheme() + "://" + mirror.getRawAuthority()),
              prefix.isEmpty() ? name.repository() : prefix + "/" + name.repository(),
              Optional.empty()));
    }
    String scheme = settings.isInsecure(name) ? "http" : "https";
    places.add(
        new Registry(
            http,
            patience,
            URI.create(scheme + "://" + name.registryHost()),
            name.repository(),
            credentials));
    return places;
  }

  private OciImage fetch(
      ImageName name,
      Optional<Credentials> credentials,
      List<Registry> places,
      int place,
      Consumer<String> log)
      throws IOException, InterruptedException {
    Registry registry = places.get(place);
    byte[] bytes = registry.manifest(name.qualifier());
    if (name.digest().isPresent() && !name.digest().get().matches(bytes)) {
      throw wrongManifest(registry, name.digest().get());
    }
    String what = "The manifest of " + name;
    Manifests.Document document = Manifests.read(bytes, what);
    if (document instanceof Index index) {
      Descriptor chosen = choose(index, name);
      bytes = registry.manifest(chosen.digest().text());
      if (!chosen.digest().matches(bytes)) {
        throw wrongManifest(registry, chosen.digest());
      }
      document = Manifests.read(bytes, what);
    }
    if (!(document instanceof Manifest manifest)) {
      throw new BuildFailure(what + " is an index within an index.");
    }
    BlobSource source =
        (blob, attempt) ->
            places
                .get((place + Math.max(0, attempt - 1)) % places.size())
                .blob(
                    blob.digest(),
                    broken ->
                        log.accept(
                            "The transfer of %s broke off (%s). Going on from there.%n"
                                .formatted(
                                    blob.digest(),
                                    Printable.of(String.valueOf(broken.getMessage())))));
    byte[] json = intake.small(manifest.configuration(), source, "The configuration of " + name);
    ImageConfiguration configuration =
        Manifests.readConfiguration(json, manifest, "The configuration of " + name);
    requirePlatform(configuration.platform(), platform, name);
    log.accept(summary(name, manifest, registry));
    intake.layers(manifest, configuration, source, log);
    OciImage image = OciImage.of(name.toString(), Digest.sha256(bytes), configuration);
    remember(name, new Known(image, false, credentials.isEmpty()));
    return image;
  }

  /** An image that anybody may have stays so, although somebody got it with credentials. */
  private void remember(ImageName name, Known known) throws IOException {
    for (ImageName each : List.of(name, name.at(new Digest(known.image().digest())))) {
      boolean open =
          known.open()
              || references
                  .find(each)
                  .filter(
                      before ->
                          before.open() && before.image().digest().equals(known.image().digest()))
                  .isPresent();
      references.put(each, new Known(known.image(), known.imported(), open));
    }
  }

  private static RegistryRefusal wrongManifest(Registry registry, Digest wanted) {
    return new RegistryRefusal(
        Reason.NONSENSE,
        "The registry %s sent a manifest that is not %s.".formatted(registry.host(), wanted));
  }

  private String summary(ImageName name, Manifest manifest, Registry registry) {
    long bytes = manifest.layers().stream().mapToLong(Descriptor::size).sum();
    return "Taking %s from %s: %d layers, %s%n"
        .formatted(name, registry.host(), manifest.layers().size(), LayerIntake.size(bytes));
  }

  private Descriptor choose(Index index, ImageName name) throws BuildFailure {
    return choose(index, platform, name.toString());
  }

  static Descriptor choose(Index index, Platform platform, String name) throws BuildFailure {
    return index.entries().stream()
        .filter(entry -> entry.platform().filter(platform::equals).isPresent())
        .map(Manifests.Entry::descriptor)
        .findFirst()
        .orElseThrow(
            () ->
                new BuildFailure(
                    "%s is for %s, and this machine is %s."
                        .formatted(
                            name,
                            index.entries().stream()
                                .flatMap(entry -> entry.platform().stream())
                                .map(one -> Printable.of(one.toString()))
                                .distinct()
                                .sorted()
                                .limit(20)
                                .collect(Collectors.joining(", ")),
                            platform)));
  }

  static void requirePlatform(Platform of, Platform platform, ImageName name) throws BuildFailure {
    if (!of.architecture().isEmpty() && !of.equals(platform)) {
      throw new BuildFailure(
          "%s is for %s, and this machine is %s."
              .formatted(name, Printable.of(of.toString()), platform));
    }
  }
}
