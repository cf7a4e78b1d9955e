package dev.troupe.gateway.secret;

import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.Vault;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** The values of a secret, sealed: what its entity keeps, and who starts a container opens. */
public final class SecretBox {

  private static final int FORMAT = 1;

  private final Vault vault;

  /** Sealed by this vault, each with its secret's id as context. */
  public SecretBox(Vault vault) {
    this.vault = vault;
  }

  /** Seals the values of a secret. */
  public byte[] seal(SecretId secret, Map<String, String> values) {
    return vault.seal(write(values), secret.value());
  }

  /**
   * Opens the values of a secret.
   *
   * @throws GeneralSecurityException when the bytes were changed, or are another secret's
   */
  public Map<String, String> open(SecretId secret, byte[] sealed) throws GeneralSecurityException {
    return read(vault.open(sealed, secret.value()));
  }

  /** The values as bytes, in the order of their names, so that equal values are equal bytes. */
  private static byte[] write(Map<String, String> values) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream output = new DataOutputStream(bytes)) {
      output.writeByte(FORMAT);
      output.writeInt(values.size());
      for (Map.Entry<String, String> entry : new TreeMap<>(values).entrySet()) {
        writeText(output, entry.getKey());
        writeText(output, entry.getValue());
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  private static Map<String, String> read(byte[] bytes) {
    try (DataInputStream input = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int format = input.readByte();
      if (format != FORMAT) {
        throw new IllegalStateException("A secret is written in the unknown format " + format);
      }
      int count = input.readInt();
      Map<String, String> values = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        values.put(readText(input), readText(input));
      }
      return values;
    } catch (IOException damaged) {
      throw new IllegalStateException("The values of a secret are damaged", damaged);
    }
  }

  private static void writeText(DataOutputStream output, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    output.writeInt(bytes.length);
    output.write(bytes);
  }

  private static String readText(DataInputStream input) throws IOException {
    int length = input.readInt();
    byte[] bytes = input.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException("text of " + length + " bytes breaks off");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
