package dev.troupe.node.image.oci;

/** Foreign words as a log and a terminal may show them. */
final class Printable {

  private static final int LONGEST = 300;

  /** The text without control characters, and not too long. */
  static String of(String text) {
    StringBuilder plain = new StringBuilder();
    text.codePoints()
        .limit(LONGEST)
        .forEach(point -> plain.appendCodePoint(Character.isISOControl(point) ? '?' : point));
    return plain.toString();
  }

  private Printable() {}
}
