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
  private static final BigInteger RADIX = BigInteger.valueOf(62);

  static void check(String prefix, String value) {
    boolean good = value.startsWith(prefix) && value.length() > prefix.length();
    for (int i = prefix.length(); good && i < value.length(); i++) {
      good = BASE62.indexOf(value.charAt(i)) >= 0;
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

  private static String encode(byte[] bytes, int take, int length) {
    BigInteger number = new BigInteger(1, java.util.Arrays.copyOf(bytes, take));
    char[] text = new char[length];
    for (int i = length - 1; i >= 0; i--) {
      BigInteger[] parts = number.divideAndRemainder(RADIX);
      text[i] = BASE62.charAt(parts[1].intValue());
      number = parts[0];
    }
    return new String(text);
  }

  private Ids() {}
}
