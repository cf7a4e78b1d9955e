package dev.troupe.node.gpu;

import dev.troupe.actors.placement.GpuTypes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * NVIDIA's management library, which comes with the driver. Asked once, at the agent's start, for
 * the devices there are. A machine without the library has none, and that is no error.
 */
@SuppressWarnings("restricted")
final class Nvml {

  private static final Logger LOG = LoggerFactory.getLogger(Nvml.class);

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout POINTER = ValueLayout.ADDRESS;
  private static final int NAME_SIZE = 96;

  private final Arena arena;
  private final SymbolLookup library;

  private Nvml(Arena arena, SymbolLookup library) {
    this.arena = arena;
    this.library = library;
  }

  /**
   * The devices that the library {@code name} tells of, as {@code dlopen} finds it. One that is in
   * pieces (MIG), or lost, is left out with a word in the log.
   *
   * @throws IOException when the library is there and can't be asked: its driver is not loaded, or
   *     another version's
   */
  static List<GpuDevice> devices(String name) throws IOException {
    // A library that is closed while it has threads of its own takes the process with it.
    Arena arena = Arena.global();
    SymbolLookup library;
    try {
      library = SymbolLookup.libraryLookup(name, arena);
    } catch (IllegalArgumentException absent) {
      LOG.debug("no GPUs: {}", absent.getMessage());
      return List.of();
    }
    return new Nvml(arena, library).devices();
  }

  private List<GpuDevice> devices() throws IOException {
    require("nvmlInit_v2", call("nvmlInit_v2"));
    try {
      MemorySegment count = arena.allocate(INT);
      require("nvmlDeviceGetCount_v2", call("nvmlDeviceGetCount_v2", count));
      List<GpuDevice> devices = new ArrayList<>();
      for (int index = 0; index < count.get(INT, 0); index++) {
        try {
          device(index).ifPresent(devices::add);
        } catch (IOException lost) {
          LOG.warn("GPU {} is left out: {}", index, lost.getMessage());
        }
      }
      return List.copyOf(devices);
    } finally {
      call("nvmlShutdown");
    }
  }

  private Optional<GpuDevice> device(int index) throws IOException {
    try (Arena ofDevice = Arena.ofConfined()) {
      MemorySegment place = ofDevice.allocate(POINTER);
      require("nvmlDeviceGetHandleByIndex_v2", call("nvmlDeviceGetHandleByIndex_v2", index, place));
      MemorySegment handle = place.get(ValueLayout.ADDRESS, 0);
      if (isInPieces(ofDevice, handle)) {
        LOG.warn("GPU {} is left out: it is split by MIG, and only whole devices are given", index);
        return Optional.empty();
      }
      MemorySegment minor = ofDevice.allocate(INT);
      require("nvmlDeviceGetMinorNumber", call("nvmlDeviceGetMinorNumber", handle, minor));
      // unsigned long long total, free, used
      MemorySegment memory = ofDevice.allocate(LONG, 3);
      require("nvmlDeviceGetMemoryInfo", call("nvmlDeviceGetMemoryInfo", handle, memory));
      String product = text(ofDevice, "nvmlDeviceGetName", handle);
      return Optional.of(
          new GpuDevice(
              index,
              minor.get(INT, 0),
              GpuTypes.ofProduct(product, memory.getAtIndex(LONG, 0)),
              text(ofDevice, "nvmlDeviceGetUUID", handle),
              false));
    }
  }

  /** Devices, and libraries, that know nothing of MIG answer with an error. */
  private boolean isInPieces(Arena ofDevice, MemorySegment handle) throws IOException {
    if (library.find("nvmlDeviceGetMigMode").isEmpty()) {
      return false;
    }
    MemorySegment now = ofDevice.allocate(INT);
    MemorySegment later = ofDevice.allocate(INT);
    return call("nvmlDeviceGetMigMode", handle, now, later) == 0 && now.get(INT, 0) == 1;
  }

  private String text(Arena ofDevice, String function, MemorySegment handle) throws IOException {
    MemorySegment text = ofDevice.allocate(NAME_SIZE);
    require(function, call(function, handle, text, NAME_SIZE));
    return text.getString(0);
  }

  private void require(String function, int result) throws IOException {
    if (result != 0) {
      throw new IOException(function + " says: " + word(result));
    }
  }

  private String word(int result) throws IOException {
    Optional<MemorySegment> function = library.find("nvmlErrorString");
    if (function.isEmpty()) {
      return "error " + result;
    }
    try {
      MethodHandle errorString =
          Linker.nativeLinker()
              .downcallHandle(
                  function.get(), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
      MemorySegment word = (MemorySegment) errorString.invoke(result);
      return word.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable failure) {
      throw new IOException("the library for GPUs can't be called", failure);
    }
  }

  /**
   * Calls a function whose arguments are integers and pointers, and whose answer says how it was.
   */
  private int call(String name, Object... arguments) throws IOException {
    ValueLayout[] layouts = new ValueLayout[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      layouts[i] = arguments[i] instanceof Integer ? INT : POINTER;
    }
    MemorySegment function =
        library
            .find(name)
            .orElseThrow(() -> new IOException("the library for GPUs has no function " + name));
    try {
      return (int)
          Linker.nativeLinker()
              .downcallHandle(function, FunctionDescriptor.of(INT, layouts))
              .invokeWithArguments(arguments);
    } catch (Throwable failure) {
      throw new IOException("the library for GPUs can't be called", failure);
    }
  }
}
