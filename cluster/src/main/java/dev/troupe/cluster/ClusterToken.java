package dev.troupe.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * What another process joins a cluster with: until it expires, it brings the cluster's keys. It is
 * kept nowhere: its secret is made of its name and the cluster's server key, so every process of
 * the cluster knows it again. The keys cross the network sealed with the secret, which does not.
 */
public final class ClusterToken {

  private static final String PREFIX = "tc-";
  private static final int NAME_BYTES = 24;
  private static final int SECRET_BYTES = 32;
  private static final int IV_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final int MOST_KEYS = 100;

  private final byte[] name;
  private final byte[] secret;

  private ClusterToken(byte[] name, byte[] secret) {
    this.name = name;
    this.secret = secret;
  }

  /** A new one of the cluster with this server key. */
  public static ClusterToken make(byte[] serverKey, Instant now, Duration valid) {
    byte[] random = new byte[NAME_BYTES - Long.BYTES];
    new SecureRandom().nextBytes(random);
    byte[] name =
        ByteBuffer.allocate(NAME_BYTES)
            .putLong(now.plus(valid).getEpochSecond())
            .put(random)
            .array();
    return new ClusterToken(name, secret(serverKey, name));
  }

  private static byte[] secret(byte[] serverKey, byte[] name) {
    return hmac(serverKey, "troupe cluster token " + HexFormat.of().formatHex(name));
  }

  /** Reads the text of one; empty where it is none. */
  public static Optional<ClusterToken> parse(String text) {
    if (!text.startsWith(PREFIX)) {
      return Optional.empty();
    }
    Optional<byte[]> bytes = decode(text.substring(PREFIX.length()), NAME_BYTES + SECRET_BYTES);
    return bytes.map(
        all ->
            new ClusterToken(
                Arrays.copyOf(all, NAME_BYTES),
                Arrays.copyOfRange(all, NAME_BYTES, NAME_BYTES + SECRET_BYTES)));
  }

  /** The token of the cluster with this server key that has a name; empty where it is no name. */
  public static Optional<ClusterToken> named(byte[] serverKey, String name) {
    return decode(name, NAME_BYTES).map(bytes -> new ClusterToken(bytes, secret(serverKey, bytes)));
  }

  private static Optional<byte[]> decode(String text, int length) {
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(text);
      return bytes.length == length ? Optional.of(bytes) : Optional.empty();
    } catch (IllegalArgumentException malformed) {
      return Optional.empty();
    }
  }

  /** As a user has it. */
  public String text() {
    byte[] all = Arrays.copyOf(name, NAME_BYTES + SECRET_BYTES);
    System.arraycopy(secret, 0, all, NAME_BYTES, SECRET_BYTES);
    return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(all);
  }

  /** What tells it from others, and is no secret. */
  public String name() {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(name);
  }

  /** When it ends. */
  public Instant expires() {
    return Instant.ofEpochSecond(ByteBuffer.wrap(name).getLong());
  }

  /** Shows that whoever sends it has the secret. */
  public String proof() {
    return HexFormat.of().formatHex(hmac(secret, "proof"));
  }

  /** Whether a proof is this token's. */
  public boolean isProvedBy(String proof) {
    return MessageDigest.isEqual(proof().getBytes(UTF_8), proof.getBytes(UTF_8));
  }

  /** Seals keys for whoever has the token. */
  public byte[] seal(Map<String, byte[]> keys) {
    try {
      ByteArrayOutputStream plain = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(plain);
      out.writeInt(keys.size());
      for (Map.Entry<String, byte[]> key : keys.entrySet()) {
        out.writeUTF(key.getKey());
        out.writeInt(key.getValue().length);
        out.write(key.getValue());
      }
      byte[] iv = new byte[IV_BYTES];
      new SecureRandom().nextBytes(iv);
      byte[] sealed = cipher(Cipher.ENCRYPT_MODE, iv).doFinal(plain.toByteArray());
      return ByteBuffer.allocate(IV_BYTES + sealed.length).put(iv).put(sealed).array();
    } catch (IOException | GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Opens what was sealed with this token; empty where it was not. */
  public Optional<Map<String, byte[]>> open(byte[] sealed) {
    if (sealed.length < IV_BYTES) {
      return Optional.empty();
    }
    try {
      byte[] plain =
          cipher(Cipher.DECRYPT_MODE, Arrays.copyOf(sealed, IV_BYTES))
              .doFinal(sealed, IV_BYTES, sealed.length - IV_BYTES);
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(plain));
      Map<String, byte[]> keys = new TreeMap<>();
      for (int left = Math.min(MOST_KEYS, in.readInt()); left > 0; left--) {
        String key = in.readUTF();
        keys.put(key, in.readNBytes(in.readInt()));
      }
      return Optional.of(keys);
    } catch (GeneralSecurityException | IOException foreign) {
      return Optional.empty();
    }
  }

  private Cipher cipher(int mode, byte[] iv) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(
        mode, new SecretKeySpec(hmac(secret, "keys"), "AES"), new GCMParameterSpec(TAG_BITS, iv));
    cipher.updateAAD(name);
    return cipher;
  }

  private static byte[] hmac(byte[] key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text.getBytes(UTF_8));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Without the secret, which belongs in no log. */
  @Override
  public String toString() {
    return PREFIX + name().substring(0, 8) + "…";
  }
}
