package dev.troupe.gateway.rpc;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Every RPC that a Modal client may call, served here or not: the facts of {@code known-rpcs.tsv}.
 */
final class KnownRpcs {

  /** Path of the client's own service. */
  static final String CLIENT = "/modal.client.ModalClient/";

  /** Path of the command router's service. */
  static final String ROUTER = "/modal.task_command_router.TaskCommandRouter/";

  private static final String FILE = "known-rpcs.tsv";
  private static final List<KnownRpc> ALL = read();
  private static final Map<String, KnownRpc> BY_PATH =
      ALL.stream().collect(Collectors.toUnmodifiableMap(KnownRpc::path, Function.identity()));

  private KnownRpcs() {}

  /**
   * One RPC.
   *
   * @param router whether it belongs to the command router, the second service of the client
   * @param kind unary, server-stream or client-stream
   * @param area the part of the product it belongs to, as in "volumes"
   * @param feature what a user does with it
   */
  record KnownRpc(String name, boolean router, String kind, String area, String feature) {

    /** Where it is called: both services have a SandboxWaitUntilReady. */
    String path() {
      return (router ? ROUTER : CLIENT) + name;
    }
  }

  /** All of them: the client service's by name, then the router's. */
  static List<KnownRpc> all() {
    return ALL;
  }

  /** Why the RPC at a path is not answered, for the user. */
  static String unserved(String path) {
    KnownRpc known = BY_PATH.get(path);
    if (known == null) {
      return "Troupe knows no RPC '%.100s'.".formatted(path);
    }
    String name = known.name();
    if (known.area().equals("deprecated")) {
      return "Troupe does not serve %s: no current client calls it.".formatted(name);
    }
    return "Troupe does not serve %s yet (%s).".formatted(name, known.area());
  }

  private static List<KnownRpc> read() {
    try (InputStream file = KnownRpcs.class.getResourceAsStream(FILE)) {
      if (file == null) {
        throw new IllegalStateException(FILE + " is missing from the class path");
      }
      return new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8))
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .map(cell -> new KnownRpc(cell[0], cell[1].equals("router"), cell[2], cell[3], cell[4]))
          .toList();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
