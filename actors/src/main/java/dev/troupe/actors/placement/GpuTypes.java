package dev.troupe.actors.placement;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Types of GPUs as users say them: pure. A device has one of the types; a wish names a type, either
 * of the A100s, or any device.
 */
public final class GpuTypes {

  /** Says "any device will do" where a type is named. */
  public static final String ANY = "ANY";

  private static final String A100 = "A100";
  private static final long LARGE_A100_BYTES = 60L << 30;

  private static final List<String> DEVICES =
      List.of("T4", "L4", "A10G", "A100-40GB", "A100-80GB", "L40S", "H100", "H200", "B200");

  private GpuTypes() {}

  /**
   * The type that a wish means; empty where there is none of that name. Case does not count, {@code
   * H100!} (nothing better, either) is what {@code H100} is here anyway, and {@code A10} is another
   * name of {@code A10G}.
   */
  public static Optional<String> ofWish(String said) {
    String type = said.strip().toUpperCase(Locale.ROOT).replaceFirst("[!+]$", "");
    return type.equals(ANY) || type.equals(A100) ? Optional.of(type) : known(type);
  }

  /**
   * The type of a device that a machine only pretends to have; empty where there is none of that
   * name.
   */
  public static Optional<String> ofSimulated(String said) {
    String type = said.strip().toUpperCase(Locale.ROOT);
    return known(type.equals(A100) ? "A100-40GB" : type);
  }

  private static Optional<String> known(String type) {
    String name = type.equals("A10") ? "A10G" : type;
    return Optional.of(name).filter(DEVICES::contains);
  }

  /** All types that may be wished. */
  static List<String> all() {
    return java.util.stream.Stream.concat(DEVICES.stream(), java.util.stream.Stream.of(A100, ANY))
        .toList();
  }

  /** What may be wished, for a sentence. */
  public static String wishes() {
    return String.join(", ", DEVICES) + ", A100 (either of the two), any";
  }

  /** What a device may be, for a sentence. */
  public static String devices() {
    return String.join(", ", DEVICES);
  }

  /** Whether a device of type {@code device} is what {@code wish} means. */
  static boolean serves(String device, String wish) {
    return wish.equalsIgnoreCase(ANY)
        || wish.equalsIgnoreCase(device)
        || (wish.equalsIgnoreCase(A100) && device.startsWith(A100 + "-"));
  }

  /**
   * The type of a device by the name that its driver has for it: {@code NVIDIA H100 80GB HBM3} is
   * an {@code H100}. One that users have no word for goes by its own: {@code RTX-4090}; only a wish
   * for any device finds it.
   */
  public static String ofProduct(String product, long memoryBytes) {
    List<String> words =
        Arrays.stream(product.toUpperCase(Locale.ROOT).split("[^A-Z0-9]+"))
            .filter(word -> !word.isEmpty())
            .filter(word -> !word.equals("NVIDIA") && !word.equals("TESLA"))
            .toList();
    if (words.contains(A100)) {
      return memoryBytes >= LARGE_A100_BYTES ? "A100-80GB" : "A100-40GB";
    }
    return words.stream()
        .flatMap(word -> known(word).stream())
        .findFirst()
        .orElseGet(
            () ->
                words.stream()
                    .filter(word -> !word.equals("GEFORCE"))
                    .collect(Collectors.joining("-")));
  }
}
