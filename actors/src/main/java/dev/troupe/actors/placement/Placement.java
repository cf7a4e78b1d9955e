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
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Which machine a container goes to. Pure: the same adverts and wish give the same choice. */
public final class Placement {

  /** Says "any device will do" where a type is named. */
  public static final String ANY_GPU = "ANY";

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
   * that have the image first, then the one with the most free CPU. {@code refusedBy} are passed
   * over.
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
              .max(
                  Comparator.<MachineAdvert>comparingInt(
                          machine -> image != null && machine.images().contains(image) ? 1 : 0)
                      .thenComparingInt(machine -> machine.free().cpuMillis())
                      .thenComparing(machine -> machine.machine().value()));
      if (best.isPresent()) {
        return new Choice.Place(
            best.get().machine(),
            new Share(wish.cpuMillis(), wish.memoryBytes(), devices(best.get().free(), gpu)));
      }
    }
    return new Choice.NoRoom(reason(machines, wish));
  }

  /** Whether {@code wish}, with the GPU wish of one rank, fits into {@code free}. */
  static boolean fits(Capacity free, Resources wish, @Nullable Gpu gpu) {
    return free.cpuMillis() >= wish.cpuMillis()
        && free.memoryBytes() >= wish.memoryBytes()
        && (gpu == null || matching(free, gpu).size() >= gpu.count());
  }

  private static List<String> devices(Capacity free, @Nullable Gpu gpu) {
    return gpu == null ? List.of() : matching(free, gpu).subList(0, gpu.count());
  }

  private static List<String> matching(Capacity capacity, Gpu gpu) {
    if (gpu.type().equalsIgnoreCase(ANY_GPU)) {
      // Devices of one container are of one type: the type with the most free ones.
      return capacity.gpus().stream().collect(Collectors.groupingBy(type -> type)).values().stream()
          .max(Comparator.<List<String>>comparingInt(List::size))
          .orElse(List.of());
    }
    return capacity.gpus().stream().filter(gpu.type()::equalsIgnoreCase).toList();
  }

  /** Why nothing fits, in the user's words: what is wanted, what there is, on how many machines. */
  static String reason(Collection<MachineAdvert> machines, Resources wish) {
    List<MachineAdvert> linked = machines.stream().filter(MachineAdvert::linked).toList();
    String among = linked.size() == 1 ? "on 1 machine" : "on " + linked.size() + " machines";
    if (linked.isEmpty()) {
      return "waiting for a machine: none is connected";
    }
    if (!wish.gpus().isEmpty()) {
      Gpu first = wish.gpus().getFirst();
      long total = linked.stream().mapToLong(at -> matching(at.capacity(), first).size()).sum();
      long free = linked.stream().mapToLong(at -> matching(at.free(), first).size()).sum();
      String wanted = wish.gpus().stream().map(Gpu::toString).collect(Collectors.joining(" or "));
      return "waiting for %s: %d of %d %s free %s"
          .formatted(wanted, free, total, first.type(), among);
    }
    int cpu = linked.stream().mapToInt(at -> at.free().cpuMillis()).max().orElse(0);
    long memory = linked.stream().mapToLong(at -> at.free().memoryBytes()).max().orElse(0);
    return "waiting for %.3g CPU and %d MiB: the most that is free is %.3g CPU and %d MiB %s"
        .formatted(
            wish.cpuMillis() / 1000.0, wish.memoryBytes() >> 20, cpu / 1000.0, memory >> 20, among);
  }
}
