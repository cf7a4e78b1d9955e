package dev.troupe.node.gpu;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The machine's devices and which of them are taken. Whole devices, one container each: one that is
 * leased is nobody else's until it is released, once no process of its container is there.
 */
final class GpuPool {

  private final List<GpuDevice> all;
  private final List<GpuDevice> free;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition released = lock.newCondition();

  GpuPool(List<GpuDevice> devices) {
    all = List.copyOf(devices);
    free = new ArrayList<>(devices);
  }

  /** All of them, in use or not. */
  List<GpuDevice> all() {
    return all;
  }

  /**
   * Takes one device of each of {@code types}. The machine's counterpart gives out no more than
   * there are; a container that is being removed may still have its own, and is waited for.
   *
   * @throws IOException when none came free within {@code patience}
   */
  List<GpuDevice> lease(List<String> types, Duration patience)
      throws IOException, InterruptedException {
    long left = patience.toNanos();
    lock.lockInterruptibly();
    try {
      Optional<List<GpuDevice>> chosen = choose(free, types);
      while (chosen.isEmpty()) {
        if (left <= 0) {
          throw new IOException(
              "the machine has no free device for %s; free are %s".formatted(types, free));
        }
        left = released.awaitNanos(left);
        chosen = choose(free, types);
      }
      free.removeAll(chosen.get());
      return chosen.get();
    } finally {
      lock.unlock();
    }
  }

  /** Gives devices back. */
  void release(List<GpuDevice> devices) {
    lock.lock();
    try {
      devices.stream()
          .filter(all::contains)
          .filter(each -> !free.contains(each))
          .forEach(free::add);
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A device of each type, those with the lowest index first; empty where one is missing. */
  static Optional<List<GpuDevice>> choose(List<GpuDevice> free, List<String> types) {
    List<GpuDevice> left = new ArrayList<>(free);
    left.sort(Comparator.comparingInt(GpuDevice::index));
    List<GpuDevice> chosen = new ArrayList<>();
    for (String type : types) {
      Optional<GpuDevice> device =
          left.stream().filter(each -> each.type().equals(type)).findFirst();
      if (device.isEmpty()) {
        return Optional.empty();
      }
      left.remove(device.get());
      chosen.add(device.get());
    }
    return Optional.of(List.copyOf(chosen));
  }
}
