package dev.troupe.node.gpu;

/**
 * A GPU of this machine.
 *
 * @param index by which the driver's library counts it
 * @param minor number of its device node, {@code /dev/nvidia0}
 * @param type as users say it
 * @param uuid its name for good, {@code GPU-…}
 * @param simulated whether the machine only pretends to have it
 */
public record GpuDevice(int index, int minor, String type, String uuid, boolean simulated) {

  @Override
  public String toString() {
    return type + " " + index + (simulated ? ", simulated" : "") + " (" + uuid + ")";
  }
}
