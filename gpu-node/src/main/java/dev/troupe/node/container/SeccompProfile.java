package dev.troupe.node.container;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.Set;

/**
 * Which system calls a container may make: the default profile that Docker and Podman share ({@code
 * seccomp.json}, from the containers/common project, Apache-2.0), translated from its form, with
 * conditions on capabilities and processors, to the plain one that OCI runtimes read.
 */
final class SeccompProfile {

  /** Left out although the profile allows it: its kernel code has been a way out too often. */
  private static final String IO_URING = "io_uring_";

  /**
   * Left out likewise: hardly a kernel has it, and each start of a container would make its filter,
   * for 10 ms.
   */
  private static final String X32 = "SCMP_ARCH_X32";

  private final ObjectNode oci;

  private SeccompProfile(ObjectNode oci) {
    this.oci = oci;
  }

  /** The profile for a container with these capabilities on this machine's processor. */
  static SeccompProfile forCapabilities(Set<String> capabilities) throws IOException {
    boolean arm = System.getProperty("os.arch").equals("aarch64");
    ObjectMapper mapper = new ObjectMapper();
    try (InputStream resource =
        Objects.requireNonNull(
            SeccompProfile.class.getResourceAsStream("seccomp.json"), "seccomp.json")) {
      return new SeccompProfile(translate(mapper.readTree(resource), capabilities, arm));
    }
  }

  /** As the {@code linux.seccomp} part of an OCI configuration. */
  ObjectNode asOci() {
    return oci;
  }

  static ObjectNode translate(JsonNode profile, Set<String> capabilities, boolean arm) {
    ObjectNode oci = new ObjectMapper().createObjectNode();
    oci.set("defaultAction", profile.get("defaultAction"));
    oci.set("defaultErrnoRet", profile.get("defaultErrnoRet"));
    String native64 = arm ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
    ArrayNode architectures = oci.putArray("architectures").add(native64);
    for (JsonNode entry : profile.get("archMap")) {
      if (entry.get("architecture").asText().equals(native64)) {
        for (JsonNode other : entry.get("subArchitectures")) {
          if (!other.asText().equals(X32)) {
            architectures.add(other);
          }
        }
      }
    }
    ArrayNode rules = oci.putArray("syscalls");
    Set<String> processors = arm ? Set.of("arm", "arm64") : Set.of("amd64", "x86", "x32");
    for (JsonNode rule : profile.get("syscalls")) {
      if (applies(rule, capabilities, processors)) {
        addRule(rules, rule);
      }
    }
    return oci;
  }

  private static boolean applies(JsonNode rule, Set<String> capabilities, Set<String> processors) {
    JsonNode includes = rule.path("includes");
    JsonNode excludes = rule.path("excludes");
    return all(includes.path("caps"), capabilities)
        && (includes.path("arches").isEmpty() || any(includes.path("arches"), processors))
        && !any(excludes.path("caps"), capabilities)
        && !any(excludes.path("arches"), processors);
  }

  private static boolean all(JsonNode names, Set<String> known) {
    for (JsonNode name : names) {
      if (!known.contains(name.asText())) {
        return false;
      }
    }
    return true;
  }

  private static boolean any(JsonNode names, Set<String> known) {
    for (JsonNode name : names) {
      if (known.contains(name.asText())) {
        return true;
      }
    }
    return false;
  }

  private static void addRule(ArrayNode rules, JsonNode rule) {
    ObjectNode translated = rules.addObject();
    ArrayNode names = translated.putArray("names");
    for (JsonNode name : rule.get("names")) {
      if (!name.asText().startsWith(IO_URING)) {
        names.add(name);
      }
    }
    translated.set("action", rule.get("action"));
    if (rule.hasNonNull("errnoRet")) {
      translated.set("errnoRet", rule.get("errnoRet"));
    }
    if (rule.path("args").isArray() && !rule.get("args").isEmpty()) {
      translated.set("args", rule.get("args"));
    }
  }
}
