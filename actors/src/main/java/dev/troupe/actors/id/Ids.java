package dev.troupe.actors.id;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** How ids are spelled, and made from bytes. */
public final class Ids {

  /** Base-62 characters of a key; 22 hold 130 bits. */
  public static final int KEY_LENGTH = 22;

  private static final String BASE62 =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  private static final int RADIX = 62;

  static void check(String prefix, String value) {
    boolean good = value.startsWith(prefix) && value.length() > prefix.length();
    for (int i = prefix.length(); good && i < value.length(); i++) {
      char c = value.charAt(i);
      good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
    if (!good || value.length() > 80) {
      throw new InvalidId("'%.80s' is not an id of the kind '%s…'".formatted(value, prefix));
    }
  }

  /** The part behind the prefix. */
  public static String key(String id) {
    return id.substring(id.indexOf('-') + 1);
  }

  /** 22 base-62 characters from the first 16 bytes of a digest, MAC or random source. */
  public static String key(byte[] bytes) {
    return encode(bytes, 16, KEY_LENGTH);
  }

  /** {@code ta-} ids: 26 characters of {@code [0-9A-Z]} from the first 16 bytes given. */
  public static TaskId task(byte[] bytes) {
    BigInteger number = new BigInteger(1, java.util.Arrays.copyOf(bytes, 16));
    String text = number.toString(36).toUpperCase(java.util.Locale.ROOT);
    return new TaskId(TaskId.PREFIX + "0".repeat(26 - text.length()) + text);
  }

  /** A key made from what a thing is, so that equal things have one id. */
  public static String contentKey(String... parts) {
    MessageDigest digest = sha256();
    for (String part : parts) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      digest.update(BigInteger.valueOf(bytes.length).toByteArray());
      digest.update((byte) 0);
      digest.update(bytes);
    }
    return key(digest.digest());
  }

  /** SHA-256, which every Java has. */
  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Divides the bytes, as one number, by the radix until all characters are there. */
  private static String encode(byte[] bytes, int take, int length) {
    int[] digits = new int[take];
    for (int i = 0; i < take; i++) {
      digits[i] = i < bytes.length ? bytes[i] & 0xff : 0;
    }
    char[] text = new char[length];
    for (int at = length - 1; at >= 0; at--) {
      int rest = 0;
      for (int i = 0; i < take; i++) {
        int part = (rest << 8) | digits[i];
        digits[i] = part / RADIX;
        rest = part % RADIX;
      }
      text[at] = BASE62.charAt(rest);
    }
    return new String(text);
  }

  private Ids() {}
}
