package dev.troupe.node.network;

import dev.troupe.node.container.ContainerDriver.Bind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of the machine's settings a container needs to find others: names, name servers, and, where
 * the machine trusts authorities of its own, its certificates and proxies.
 */
public final class HostFiles {

  private static final Logger LOG = LoggerFactory.getLogger(HostFiles.class);
  private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
  private static final Path UPSTREAM_RESOLV_CONF = Path.of("/run/systemd/resolve/resolv.conf");
  private static final Path BUNDLE = Path.of("/etc/ssl/certs/ca-certificates.crt");
  private static final Path OWN_AUTHORITIES = Path.of("/usr/local/share/ca-certificates");

  /** Beside the image's own bundle, which the image's package manager must be able to replace. */
  static final String BUNDLE_NAME = "ca-certificates.crt";

  private static final String BUNDLE_IN_CONTAINER = "/etc/troupe/" + BUNDLE_NAME;

  private static final List<String> BUNDLE_VARIABLES =
      List.of(
          "SSL_CERT_FILE",
          "PIP_CERT",
          "REQUESTS_CA_BUNDLE",
          "CURL_CA_BUNDLE",
          "GIT_SSL_CAINFO",
          "NODE_EXTRA_CA_CERTS");

  private static final List<String> PASSED_VARIABLES =
      List.of(
          "http_proxy",
          "https_proxy",
          "no_proxy",
          "HTTP_PROXY",
          "HTTPS_PROXY",
          "NO_PROXY",
          "ALL_PROXY");

  private final List<Bind> binds;
  private final Map<String, String> environment;

  private HostFiles(List<Bind> binds, Map<String, String> environment) {
    this.binds = binds;
    this.environment = environment;
  }

  /** Reads the machine's settings and writes the files to be bound into {@code folder}. */
  public static HostFiles in(Path folder, Map<String, String> environment) throws IOException {
    Files.createDirectories(folder);
    Path hosts = folder.resolve("hosts");
    Files.writeString(hosts, "127.0.0.1 localhost\n127.0.1.1 troupe\n::1 localhost\n");
    Path resolver = folder.resolve("resolv.conf");
    Files.writeString(resolver, resolverSettings());
    List<Bind> binds = new ArrayList<>();
    binds.add(new Bind(hosts, "/etc/hosts", true));
    binds.add(new Bind(resolver, "/etc/resolv.conf", true));
    Map<String, String> passed = new LinkedHashMap<>();
    for (String name : PASSED_VARIABLES) {
      @Nullable String value = environment.get(name);
      if (value != null && !value.isBlank()) {
        passed.put(name, value);
      }
    }
    Optional<Path> bundle = bundle(environment);
    if (bundle.isPresent()) {
      binds.add(new Bind(bundle.get(), BUNDLE_IN_CONTAINER, true));
      BUNDLE_VARIABLES.forEach(name -> passed.put(name, BUNDLE_IN_CONTAINER));
    }
    return new HostFiles(List.copyOf(binds), Map.copyOf(passed));
  }

  private static String resolverSettings() throws IOException {
    String own = read(RESOLV_CONF);
    if (!pointsToLoopback(own)) {
      return own;
    }
    String upstream = read(UPSTREAM_RESOLV_CONF);
    if (upstream.isEmpty()) {
      LOG.warn(
          "the machine's name server listens on a loopback address, which containers can't reach;"
              + " they will find no host by name");
      return own;
    }
    return upstream;
  }

  static boolean pointsToLoopback(String settings) {
    List<String> servers =
        settings
            .lines()
            .map(String::strip)
            .filter(line -> line.startsWith("nameserver"))
            .map(line -> line.substring("nameserver".length()).strip())
            .toList();
    return !servers.isEmpty()
        && servers.stream().allMatch(server -> server.startsWith("127.") || server.equals("::1"));
  }

  private static String read(Path file) throws IOException {
    return Files.isReadable(file) ? Files.readString(file) : "";
  }

  /** The bundle that programs of this machine are told of, or else its own where that differs. */
  private static Optional<Path> bundle(Map<String, String> environment) throws IOException {
    Path told = Path.of(environment.getOrDefault("SSL_CERT_FILE", ""));
    if (told.isAbsolute() && Files.isReadable(told) && Files.isRegularFile(told)) {
      return Optional.of(told);
    }
    return hasOwnAuthorities() ? Optional.of(BUNDLE) : Optional.empty();
  }

  private static boolean hasOwnAuthorities() throws IOException {
    if (!Files.isReadable(BUNDLE) || !Files.isDirectory(OWN_AUTHORITIES)) {
      return false;
    }
    try (Stream<Path> files = Files.walk(OWN_AUTHORITIES)) {
      return files.anyMatch(file -> file.toString().endsWith(".crt"));
    }
  }

  /** The same for build steps, with where packages come from. */
  public HostFiles forBuilds(PackageSettings settings) {
    List<Bind> all = new ArrayList<>(settings.binds());
    all.addAll(binds);
    Map<String, String> variables = new LinkedHashMap<>(environment);
    variables.putAll(settings.environment());
    return new HostFiles(List.copyOf(all), Map.copyOf(variables));
  }

  /** Files to bind into a container. */
  public List<Bind> binds() {
    return binds;
  }

  /** Variables that an image's own and the user's may replace. */
  public Map<String, String> environment() {
    return environment;
  }
}
