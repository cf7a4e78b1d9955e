package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Share;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Which machine a container goes to. Pure: the same adverts and wish give the same choice. */
public final class Placement {

  private Placement() {}

  /** A machine and the share to ask of it, or why there is none. */
  public sealed interface Choice {

    /** Ask this machine. */
    record Place(MachineId machine, Share share) implements Choice {}

    /** No machine has room now; a sentence for the caller. */
    record NoRoom(String reason) implements Choice {}
  }

  /**
   * The best machine for {@code wish}: ranked GPU wishes in order; among machines that fit, those
   * that have the image first, then, for a wish without a device, those with the fewest free ones,
   * then the one with the most free CPU. {@code refusedBy} are passed over.
   */
  public static Choice choose(
      Collection<MachineAdvert> machines,
      Resources wish,
      @Nullable ImageId image,
      Set<MachineId> refusedBy) {
    List<@Nullable Gpu> ranks = new ArrayList<>(wish.gpus());
    if (ranks.isEmpty()) {
      ranks.add(null);
    }
    for (Gpu gpu : ranks) {
      var best =
          machines.stream()
              .filter(MachineAdvert::linked)
              .filter(machine -> !refusedBy.contains(machine.machine()))
              .filter(machine -> fits(machine.free(), wish, gpu))
              .max(preference(image, gpu));
      if (best.isPresent()) {
        return new Choice.Place(
            best.get().machine(),
            new Share(wish.cpuMillis(), wish.memoryBytes(), devices(best.get().free(), gpu)));
      }
    }
    return new Choice.NoRoom(
        reason(
            machines.stream()
                .map(at -> refusedBy.contains(at.machine()) ? corrected(at, wish) : at)
                .toList(),
            wish));
  }

  /** A machine that refused what its advert shows as free has given its devices to others since. */
  private static MachineAdvert corrected(MachineAdvert at, Resources wish) {
    if (wish.gpus().stream().noneMatch(gpu -> fits(at.free(), wish, gpu))) {
      return at;
    }
    return new MachineAdvert(
        at.machine(),
        at.revision(),
        at.linked(),
        at.capacity(),
        new Capacity(at.free().cpuMillis(), at.free().memoryBytes(), List.of()),
        at.images(),
        at.labels());
  }

  private static Comparator<MachineAdvert> preference(@Nullable ImageId image, @Nullable Gpu gpu) {
    return Comparator.<MachineAdvert>comparingInt(
            at -> image != null && at.images().contains(image) ? 1 : 0)
        .thenComparingInt(at -> gpu == null ? -at.free().gpus().size() : 0)
        .thenComparingInt(at -> at.free().cpuMillis())
        .thenComparing(at -> at.machine().value());
  }

  /** Whether {@code wish}, with the GPU wish of one rank, fits into {@code free}. */
  static boolean fits(Capacity free, Resources wish, @Nullable Gpu gpu) {
    return free.cpuMillis() >= wish.cpuMillis()
        && free.memoryBytes() >= wish.memoryBytes()
        && (gpu == null || matching(free, gpu).size() >= gpu.count());
  }

  /** Devices free for a GPU wish of one rank; none where no device is wanted. */
  static int count(Capacity free, @Nullable Gpu gpu) {
    return gpu == null ? 0 : matching(free, gpu).size();
  }

  private static List<String> devices(Capacity free, @Nullable Gpu gpu) {
    return gpu == null ? List.of() : matching(free, gpu).subList(0, gpu.count());
  }

  /** The devices that a wish means; those of one container are all of one type. */
  private static List<String> matching(Capacity capacity, Gpu gpu) {
    Collection<List<String>> byType =
        capacity.gpus().stream()
            .filter(device -> GpuTypes.serves(device, gpu.type()))
            .collect(Collectors.groupingBy(type -> type, TreeMap::new, Collectors.toList()))
            .values();
    // Of several types the one with the most devices.
    return byType.stream().max(Comparator.<List<String>>comparingInt(List::size)).orElse(List.of());
  }

  /** Why nothing fits, in the user's words: what is wanted, what there is, on how many machines. */
  static String reason(Collection<MachineAdvert> machines, Resources wish) {
    List<MachineAdvert> linked = machines.stream().filter(MachineAdvert::linked).toList();
    if (linked.isEmpty()) {
      return "waiting for a machine: none is connected";
    }
    String among = linked.size() == 1 ? "on 1 machine" : "on " + linked.size() + " machines";
    if (wish.gpus().isEmpty()) {
      return "waiting for " + amount(wish) + ": " + mostFree(linked) + " " + among;
    }
    String wanted = wish.gpus().stream().map(Gpu::toString).collect(Collectors.joining(" or "));
    List<MachineAdvert> withDevices =
        linked.stream().filter(at -> has(at.free(), wish.gpus())).toList();
    if (!withDevices.isEmpty()) {
      return "waiting for %s with %s: %s where such devices are free"
          .formatted(wanted, amount(wish), mostFree(withDevices));
    }
    if (linked.stream().noneMatch(at -> has(at.capacity(), wish.gpus()))) {
      return "waiting for %s: no machine has that, of %d connected"
          .formatted(wanted, linked.size());
    }
    boolean several = wish.gpus().stream().map(Gpu::type).distinct().count() > 1;
    String free =
        wish.gpus().stream()
            .map(Gpu::type)
            .distinct()
            .map(type -> freeOf(linked, type) + (several ? " " + type : ""))
            .collect(Collectors.joining(", "));
    return "waiting for %s: %s free %s".formatted(wanted, free, among);
  }

  private static String freeOf(List<MachineAdvert> machines, String type) {
    long free = machines.stream().mapToLong(at -> devicesFor(at.free(), type)).sum();
    long total = machines.stream().mapToLong(at -> devicesFor(at.capacity(), type)).sum();
    return free + " of " + total;
  }

  private static long devicesFor(Capacity capacity, String type) {
    return capacity.gpus().stream().filter(device -> GpuTypes.serves(device, type)).count();
  }

  private static boolean has(Capacity capacity, List<Gpu> ranks) {
    return ranks.stream().anyMatch(gpu -> matching(capacity, gpu).size() >= gpu.count());
  }

  private static String mostFree(List<MachineAdvert> machines) {
    int cpu = machines.stream().mapToInt(at -> at.free().cpuMillis()).max().orElse(0);
    long memory = machines.stream().mapToLong(at -> at.free().memoryBytes()).max().orElse(0);
    return "the most that is free is " + amount(cpu, memory);
  }

  private static String amount(Resources wish) {
    return amount(wish.cpuMillis(), wish.memoryBytes());
  }

  private static String amount(int cpuMillis, long memoryBytes) {
    return String.format(Locale.ROOT, "%.3g CPU and %d MiB", cpuMillis / 1000.0, memoryBytes >> 20);
  }
}
