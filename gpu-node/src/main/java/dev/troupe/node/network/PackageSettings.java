package dev.troupe.node.network;

import dev.troupe.node.container.ContainerDriver.Bind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where this machine's pip and apt have packages from, for build steps. Variables say it, which an
 * image's own and the user's replace; the files that they name are bound below one folder, which
 * hides a folder that every image has, so that nothing is left in a layer.
 */
public final class PackageSettings {

  private static final Logger LOG = LoggerFactory.getLogger(PackageSettings.class);

  private static final Path FOLDER = Path.of("/etc/troupe");
  private static final String APT_CONFIG = "apt.conf";

  /** One line of what apt says of its settings, those on the way to its mirrors. */
  private static final Pattern TRANSPORT =
      Pattern.compile(
          "(Acquire::(?:Retries|https?::"
              + "(?:Proxy|Proxy::.*|Timeout|Verify-Peer|Verify-Host|(CaInfo|SslCert|SslKey))))"
              + " \"(.*)\";");

  private static final Pattern LOOPBACK =
      Pattern.compile("//([^/]*@)?(localhost|127\\.[0-9.]+|\\[::1])[:/]?.*");

  private final Path folder;
  private final Map<String, Path> files = new LinkedHashMap<>();
  private final Map<String, String> environment = new LinkedHashMap<>();

  private PackageSettings(Path folder) {
    this.folder = folder;
  }

  /**
   * Reads the machine's settings.
   *
   * @param folder is made, with a place for each file
   * @param environment of this process
   * @param apt what {@code apt-config dump} says; empty where there is no apt
   */
  public static PackageSettings in(Path folder, Map<String, String> environment, List<String> apt)
      throws IOException {
    Files.createDirectories(folder);
    PackageSettings settings = new PackageSettings(folder);
    settings.takeIn(PipSettings.ofThisMachine(environment), environment);
    settings.takeIn(apt);
    Files.write(folder.resolve(HostFiles.BUNDLE_NAME), new byte[0]);
    for (String name : settings.files.keySet()) {
      Files.write(folder.resolve(name), new byte[0]);
    }
    return settings;
  }

  private void takeIn(PipSettings pip, Map<String, String> given) {
    environment.putAll(pip.variables());
    pip.certificates()
        .forEach(
            (variable, file) ->
                environment.put(variable, place(variable.toLowerCase(Locale.ROOT), file)));
    // uv reads no settings of pip, and is used in its place.
    environment.putAll(pip.variablesOfUv());
    given.forEach(
        (name, value) -> {
          if (PipSettings.UV_VARIABLES.contains(name)) {
            environment.put(name, value);
          }
        });
    if (given.containsKey("UV_DEFAULT_INDEX")) {
      environment.remove("UV_INDEX_URL");
    }
  }

  private void takeIn(List<String> apt) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line : apt) {
      Matcher setting = TRANSPORT.matcher(line);
      if (!setting.matches()) {
        continue;
      }
      if (setting.group(2) != null) {
        Path file = Path.of(setting.group(3));
        String place = place("apt-" + files.size(), file);
        lines.add("%s \"%s\";".formatted(setting.group(1), place));
      } else if (LOOPBACK.matcher(line).find()) {
        LOG.warn(
            "build steps can't reach this machine's loopback, and go without {}", setting.group(1));
      } else {
        lines.add(line);
      }
    }
    if (!lines.isEmpty()) {
      Files.write(folder.resolve(APT_CONFIG), lines);
      environment.put("APT_CONFIG", FOLDER.resolve(APT_CONFIG).toString());
    }
  }

  /** Where a file of the machine is in a container. */
  private String place(String name, Path file) {
    files.put(name, file);
    return FOLDER.resolve(name).toString();
  }

  /** What is bound into a build step, the folder first; a file that isn't there is left out. */
  List<Bind> binds() {
    List<Bind> binds = new ArrayList<>();
    binds.add(new Bind(folder, FOLDER.toString(), true));
    files.forEach(
        (name, file) -> {
          if (Files.isReadable(file)) {
            binds.add(new Bind(file, FOLDER.resolve(name).toString(), true));
          }
        });
    return binds;
  }

  /** Variables that an image's own and the user's may replace. */
  Map<String, String> environment() {
    return environment;
  }
}
