package dev.troupe.actors.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.placement.Placement.Choice;
import dev.troupe.actors.placement.Placement.Choice.NoRoom;
import dev.troupe.actors.placement.Placement.Choice.Place;
import dev.troupe.actors.testing.Definitions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlacementTest {

  private static final long GIB = 1L << 30;
  private static final ImageId IMAGE = new ImageId("im-1");
  private static final Resources SMALL = Definitions.resources(1_000, GIB);

  @Test
  void takesTheMachineWithTheMostFreeCpu() {
    assertThat(choose(SMALL, free("m1", 4_000), free("m2", 8_000), free("m3", 2_000)))
        .isEqualTo(new Place(new MachineId("m2"), new Share(1_000, GIB, List.of())));
  }

  @Test
  void prefersTheMachineThatHasTheImage() {
    MachineAdvert local = advert("m1", true, capacity(2_000), capacity(2_000), List.of(IMAGE));

    assertThat(Placement.choose(List.of(free("m2", 8_000), local), SMALL, IMAGE, Set.of()))
        .isEqualTo(new Place(new MachineId("m1"), new Share(1_000, GIB, List.of())));
  }

  @Test
  void aWishWithoutDevicesSparesMachinesThatHaveThem() {
    assertThat(choose(SMALL, free("gpu", 64_000, "H100"), free("cpu", 2_000)))
        .isEqualTo(new Place(new MachineId("cpu"), new Share(1_000, GIB, List.of())));
  }

  @Test
  void passesOverWhoRefusedAndWhoIsAway() {
    MachineAdvert away = advert("m3", false, capacity(64_000), capacity(64_000), List.of());

    assertThat(
            Placement.choose(
                List.of(free("m1", 8_000), free("m2", 2_000), away),
                SMALL,
                null,
                Set.of(new MachineId("m1"))))
        .isEqualTo(new Place(new MachineId("m2"), new Share(1_000, GIB, List.of())));
  }

  @Test
  void takesRankedDevicesInTheirOrderWhateverTheCase() {
    Resources wish = Definitions.resources(1_000, GIB, new Gpu("h100", 2), new Gpu("A10", 1));

    assertThat(choose(wish, free("m1", 8_000, "A10"), free("m2", 2_000, "H100", "A10", "H100")))
        .isEqualTo(new Place(new MachineId("m2"), new Share(1_000, GIB, List.of("H100", "H100"))));
    assertThat(choose(wish, free("m1", 8_000, "A10"), free("m2", 2_000, "H100")))
        .isEqualTo(new Place(new MachineId("m1"), new Share(1_000, GIB, List.of("A10"))));
  }

  @Test
  void anyDeviceIsOneTypeForAllOfThem() {
    Resources wish = Definitions.resources(1_000, GIB, new Gpu("any", 2));

    assertThat(choose(wish, free("m1", 8_000, "A10", "H100"))).isInstanceOf(NoRoom.class);
    assertThat(choose(wish, free("m1", 8_000, "A10", "H100", "A10")))
        .isEqualTo(new Place(new MachineId("m1"), new Share(1_000, GIB, List.of("A10", "A10"))));
  }

  @Test
  void saysThatNoMachineIsConnected() {
    assertThat(reason(SMALL, advert("m1", false, capacity(9), capacity(9), List.of())))
        .isEqualTo("waiting for a machine: none is connected");
  }

  @Test
  void saysHowMuchCpuAndMemoryIsFree() {
    assertThat(reason(Definitions.resources(8_000, GIB), free("m1", 125), free("m2", 4_000)))
        .isEqualTo(
            "waiting for 8.00 CPU and 1024 MiB: the most that is free is 4.00 CPU and 65536 MiB on"
                + " 2 machines");
  }

  @Test
  void saysHowManyDevicesAreTaken() {
    MachineAdvert busy =
        advert("m1", true, capacity(4_000, "H100", "H100"), capacity(4_000, "H100"), List.of());

    assertThat(reason(Definitions.resources(0, 0, new Gpu("H100", 2)), busy))
        .isEqualTo("waiting for 2×H100: 1 of 2 free on 1 machine");
    assertThat(reason(Definitions.resources(0, 0, new Gpu("H100", 2), new Gpu("A100", 1)), busy))
        .isEqualTo("waiting for 2×H100 or 1×A100: 1 of 2 H100, 0 of 0 A100 free on 1 machine");
  }

  @Test
  void anA100IsEitherOfTheTwoAndAllOfAContainerAreOfOne() {
    Resources wish = Definitions.resources(1_000, GIB, new Gpu("A100", 2));

    assertThat(choose(wish, free("m1", 8_000, "A100-80GB", "A100-40GB", "A10G")))
        .isInstanceOf(NoRoom.class);
    assertThat(choose(wish, free("m1", 8_000, "A100-80GB", "A100-40GB", "A100-80GB")))
        .isEqualTo(
            new Place(
                new MachineId("m1"), new Share(1_000, GIB, List.of("A100-80GB", "A100-80GB"))));
    assertThat(
            choose(
                Definitions.resources(1_000, GIB, new Gpu("A100-40GB", 1)),
                free("m1", 8_000, "A100-80GB")))
        .isInstanceOf(NoRoom.class);
  }

  @Test
  void devicesThatAMachineRefusedAreNotFree() {
    Resources wish = Definitions.resources(0, 0, new Gpu("H100", 1));

    assertThat(
            Placement.choose(
                List.of(free("m1", 4_000, "H100", "H100")),
                wish,
                null,
                Set.of(new MachineId("m1"))))
        .isEqualTo(new NoRoom("waiting for 1×H100: 0 of 2 free on 1 machine"));
  }

  @Test
  void saysThatNoMachineHasSuchADevice() {
    assertThat(
            reason(
                Definitions.resources(0, 0, new Gpu("B200", 1), new Gpu("H100", 8)),
                free("m1", 4_000, "H100")))
        .isEqualTo("waiting for 1×B200 or 8×H100: no machine has that, of 1 connected");
  }

  @Test
  void saysThatDevicesAreFreeButNoCpuBesideThem() {
    assertThat(
            reason(
                Definitions.resources(8_000, GIB, new Gpu("H100", 1)),
                free("m1", 4_000, "H100"),
                free("m2", 64_000)))
        .isEqualTo(
            "waiting for 1×H100 with 8.00 CPU and 1024 MiB: the most that is free is 4.00 CPU and"
                + " 65536 MiB where such devices are free");
  }

  @Test
  void poolsAreNamedAfterTheFirstWish() {
    assertThat(PlacementProtocol.poolOf(SMALL)).isEqualTo("CPU");
    assertThat(
            PlacementProtocol.poolOf(
                Definitions.resources(0, 0, new Gpu("h100", 1), new Gpu("A10", 1))))
        .isEqualTo("H100");
  }

  /** What is placed fits, and what is not placed fits nowhere; a failing seed stays in the list. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 20_261_124})
  void neverPlacesWhatDoesNotFitAndAlwaysWhatDoes(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int i = 0; i < 5_000; i++) {
      List<MachineAdvert> machines = machines(random);
      Resources wish = wish(random);
      MachineId refusing = new MachineId("m" + random.nextInt(6));

      switch (Placement.choose(machines, wish, IMAGE, Set.of(refusing))) {
        case Place(var machine, var share) -> {
          MachineAdvert at =
              machines.stream().filter(m -> m.machine().equals(machine)).findFirst().orElseThrow();
          assertThat(at.linked()).isTrue();
          assertThat(machine).isNotEqualTo(refusing);
          assertIsWhatWasWished(wish, share);
          assertFits(at.free(), share);
        }
        case NoRoom(var reason) -> {
          assertThat(reason).startsWith("waiting for ");
          assertThat(machines)
              .filteredOn(at -> at.linked() && !at.machine().equals(refusing))
              .noneMatch(at -> fitsByCounting(at.free(), wish));
        }
      }
    }
  }

  private static void assertIsWhatWasWished(Resources wish, Share share) {
    assertThat(share.cpuMillis()).isEqualTo(wish.cpuMillis());
    assertThat(share.memoryBytes()).isEqualTo(wish.memoryBytes());
    assertThat(share.gpus().stream().distinct().count()).isLessThanOrEqualTo(1);
    List<Integer> counts = wish.gpus().stream().map(Gpu::count).toList();
    assertThat(counts.isEmpty() ? List.of(0) : counts).contains(share.gpus().size());
  }

  private static void assertFits(Capacity free, Share share) {
    assertThat(share.cpuMillis()).isLessThanOrEqualTo(free.cpuMillis());
    assertThat(share.memoryBytes()).isLessThanOrEqualTo(free.memoryBytes());
    List<String> devices = new ArrayList<>(free.gpus());
    share.gpus().forEach(device -> assertThat(devices.remove(device)).isTrue());
  }

  private static boolean fitsByCounting(Capacity free, Resources wish) {
    return wish.cpuMillis() <= free.cpuMillis()
        && wish.memoryBytes() <= free.memoryBytes()
        && (wish.gpus().isEmpty() || wish.gpus().stream().anyMatch(gpu -> counted(free, gpu)));
  }

  private static boolean counted(Capacity free, Gpu gpu) {
    return free.gpus().stream()
        .filter(type -> gpu.type().equals("ANY") || gpu.type().equals(type))
        .anyMatch(type -> free.gpus().stream().filter(type::equals).count() >= gpu.count());
  }

  private static List<MachineAdvert> machines(RandomGenerator random) {
    List<MachineAdvert> machines = new ArrayList<>();
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      Capacity free =
          new Capacity(
              random.nextInt(5) * 1_000, random.nextInt(5) * GIB, List.of(devices(random)));
      List<ImageId> images = random.nextBoolean() ? List.of(IMAGE) : List.of();
      machines.add(advert("m" + i, random.nextInt(5) > 0, free, free, images));
    }
    return machines;
  }

  private static String[] devices(RandomGenerator random) {
    String[] types = {"H100", "A10"};
    String[] devices = new String[random.nextInt(4)];
    for (int i = 0; i < devices.length; i++) {
      devices[i] = types[random.nextInt(2)];
    }
    return devices;
  }

  private static Resources wish(RandomGenerator random) {
    String[] types = {"H100", "A10", "ANY", "B200"};
    Gpu[] ranks = new Gpu[random.nextInt(3)];
    for (int i = 0; i < ranks.length; i++) {
      ranks[i] = new Gpu(types[random.nextInt(4)], random.nextInt(1, 4));
    }
    return Definitions.resources(random.nextInt(5) * 1_000, random.nextInt(5) * GIB, ranks);
  }

  private static Choice choose(Resources wish, MachineAdvert... machines) {
    return Placement.choose(List.of(machines), wish, null, Set.of());
  }

  private static String reason(Resources wish, MachineAdvert... machines) {
    return ((NoRoom) choose(wish, machines)).reason();
  }

  private static MachineAdvert free(String machine, int cpuMillis, String... gpus) {
    return advert(machine, true, capacity(cpuMillis, gpus), capacity(cpuMillis, gpus), List.of());
  }

  private static Capacity capacity(int cpuMillis, String... gpus) {
    return new Capacity(cpuMillis, 64 * GIB, List.of(gpus));
  }

  private static MachineAdvert advert(
      String machine, boolean linked, Capacity capacity, Capacity free, List<ImageId> images) {
    return new MachineAdvert(new MachineId(machine), 1, linked, capacity, free, images, Map.of());
  }
}
