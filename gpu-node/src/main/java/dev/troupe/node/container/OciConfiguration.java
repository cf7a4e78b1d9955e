package dev.troupe.node.container;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.Bundle;
import dev.troupe.node.container.ContainerDriver.ContainerSpec;
import dev.troupe.node.container.ContainerDriver.DeviceNode;
import dev.troupe.node.container.ContainerDriver.Devices;
import dev.troupe.node.container.ContainerDriver.Hook;
import dev.troupe.node.container.ContainerDriver.Resources;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The {@code config.json} of a bundle: pure, from what is to run to what an OCI runtime reads. As
 * strict as Docker's defaults: its fourteen capabilities, masked and read-only paths, seccomp; and
 * no new privileges besides.
 */
final class OciConfiguration {

  /** Docker's fourteen. */
  static final Set<String> CAPABILITIES =
      Set.of(
          "CAP_AUDIT_WRITE",
          "CAP_CHOWN",
          "CAP_DAC_OVERRIDE",
          "CAP_FOWNER",
          "CAP_FSETID",
          "CAP_KILL",
          "CAP_MKNOD",
          "CAP_NET_BIND_SERVICE",
          "CAP_NET_RAW",
          "CAP_SETFCAP",
          "CAP_SETGID",
          "CAP_SETPCAP",
          "CAP_SETUID",
          "CAP_SYS_CHROOT");

  static final String HOST_NAME = "troupe";

  private static final List<String> MASKED_PATHS =
      List.of(
          "/proc/acpi",
          "/proc/asound",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/sys/devices/virtual/powercap",
          "/sys/firmware");

  private static final List<String> READ_ONLY_PATHS =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * What of the configuration follows the machine, not the container.
   *
   * @param openFiles the most files that a process of this machine may have open
   */
  record Machine(
      SeccompProfile seccomp, boolean unifiedCgroups, boolean swapIsCounted, long openFiles) {}

  static ObjectNode of(Bundle bundle, ContainerSpec spec, String cgroupPath, Machine machine) {
    ObjectNode config = JSON.createObjectNode();
    config.put("ociVersion", "1.0.2");
    config.putObject("root").put("path", bundle.root().toString()).put("readonly", false);
    config.put("hostname", HOST_NAME);
    process(config.putObject("process"), spec, machine);
    mounts(config.putArray("mounts"), spec, machine);
    ObjectNode linux = config.putObject("linux");
    linux.put("cgroupsPath", cgroupPath);
    linux.set("seccomp", machine.seccomp().asOci());
    MASKED_PATHS.forEach(linux.putArray("maskedPaths")::add);
    READ_ONLY_PATHS.forEach(linux.putArray("readonlyPaths")::add);
    namespaces(linux.putArray("namespaces"), spec, machine);
    ObjectNode resources = linux.putObject("resources");
    resources(resources, spec.resources(), machine);
    devices(linux.putArray("devices"), resources.withArrayProperty("devices"), spec.devices());
    if (!spec.devices().hooks().isEmpty()) {
      hooks(config.putObject("hooks"), spec.devices().hooks());
    }
    return config;
  }

  private static void process(ObjectNode process, ContainerSpec spec, Machine machine) {
    process.put("terminal", false).put("cwd", spec.workingDirectory());
    process.put("noNewPrivileges", true);
    process.putObject("user").put("uid", 0).put("gid", 0);
    spec.command().forEach(process.putArray("args")::add);
    ArrayNode environment = process.putArray("env");
    spec.environment().forEach((name, value) -> environment.add(name + "=" + value));
    ObjectNode capabilities = process.putObject("capabilities");
    for (String kind : List.of("bounding", "effective", "permitted")) {
      new TreeSet<>(CAPABILITIES).forEach(capabilities.putArray(kind)::add);
    }
    ArrayNode limits = process.putArray("rlimits");
    limits
        .addObject()
        .put("type", "RLIMIT_NOFILE")
        .put("soft", Math.min(65_536, machine.openFiles()))
        .put("hard", Math.min(1_048_576, machine.openFiles()));
    limits.addObject().put("type", "RLIMIT_CORE").put("soft", 0).put("hard", 0);
  }

  private static void mounts(ArrayNode mounts, ContainerSpec spec, Machine machine) {
    mount(mounts, "/proc", "proc", "proc", List.of("nosuid", "noexec", "nodev"));
    mount(
        mounts,
        "/dev",
        "tmpfs",
        "tmpfs",
        List.of("nosuid", "strictatime", "mode=755", "size=65536k"));
    mount(
        mounts,
        "/dev/pts",
        "devpts",
        "devpts",
        List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"));
    // Wider than Docker's 64 MiB, which data loaders of common libraries outgrow; what is in it
    // counts against the container's memory limit all the same.
    mount(
        mounts,
        "/dev/shm",
        "tmpfs",
        "shm",
        List.of("nosuid", "noexec", "nodev", "mode=1777", "size=1g"));
    mount(mounts, "/dev/mqueue", "mqueue", "mqueue", List.of("nosuid", "noexec", "nodev"));
    mount(mounts, "/sys", "sysfs", "sysfs", List.of("nosuid", "noexec", "nodev", "ro"));
    if (machine.unifiedCgroups()) {
      mount(
          mounts,
          "/sys/fs/cgroup",
          "cgroup",
          "cgroup",
          List.of("nosuid", "noexec", "nodev", "relatime", "ro"));
    }
    for (Bind bind : spec.binds()) {
      mount(
          mounts,
          bind.target(),
          "bind",
          bind.source().toString(),
          List.of("rbind", "rprivate", "nosuid", "nodev", bind.readOnly() ? "ro" : "rw"));
    }
  }

  /** Nodes to be made in the container, and after the rule that denies all: those allowed. */
  private static void devices(ArrayNode nodes, ArrayNode rules, Devices devices) {
    for (DeviceNode device : devices.nodes()) {
      nodes
          .addObject()
          .put("path", device.path())
          .put("type", device.kind())
          .put("major", device.major())
          .put("minor", device.minor())
          .put("fileMode", device.permissions())
          .put("uid", device.user())
          .put("gid", device.group());
      rules
          .addObject()
          .put("allow", true)
          .put("type", device.kind())
          .put("major", device.major())
          .put("minor", device.minor())
          .put("access", device.access());
    }
  }

  private static void hooks(ObjectNode stages, List<Hook> hooks) {
    for (Hook hook : hooks) {
      ObjectNode program = stages.withArrayProperty(hook.stage()).addObject();
      program.put("path", hook.program());
      hook.arguments().forEach(program.putArray("args")::add);
      hook.environment().forEach(program.putArray("env")::add);
    }
  }

  private static void mount(
      ArrayNode mounts, String target, String type, String source, List<String> options) {
    ObjectNode mount = mounts.addObject();
    mount.put("destination", target).put("type", type).put("source", source);
    options.forEach(mount.putArray("options")::add);
  }

  private static void namespaces(ArrayNode namespaces, ContainerSpec spec, Machine machine) {
    for (String type : List.of("pid", "mount", "uts", "ipc")) {
      namespaces.addObject().put("type", type);
    }
    ObjectNode network = namespaces.addObject().put("type", "network");
    if (spec.networkNamespace() != null) {
      network.put("path", spec.networkNamespace().toString());
    }
    if (machine.unifiedCgroups()) {
      namespaces.addObject().put("type", "cgroup");
    }
  }

  private static void resources(ObjectNode node, Resources resources, Machine machine) {
    node.putArray("devices").addObject().put("allow", false).put("access", "rwm");
    node.putObject("pids").put("limit", resources.limitProcesses());
    ObjectNode cpu = node.putObject("cpu");
    if (resources.requestCpuMillis() > 0) {
      // 1,024 shares are one core; the kernel takes 2 at least.
      cpu.put("shares", Math.max(2, resources.requestCpuMillis() * 1024L / 1000));
    }
    if (resources.limitCpuMillis() > 0) {
      cpu.put("period", 100_000).put("quota", Math.max(1_000L, resources.limitCpuMillis() * 100L));
    }
    ObjectNode memory = node.putObject("memory");
    long request = resources.requestMemoryBytes();
    long limit = resources.limitMemoryBytes();
    if (request > 0) {
      memory.put("reservation", limit > 0 ? Math.min(request, limit) : request);
    }
    if (limit > 0) {
      memory.put("limit", limit);
      if (machine.swapIsCounted()) {
        // Memory and swap together: none of it in swap.
        memory.put("swap", limit);
      }
    }
  }

  private OciConfiguration() {}
}
