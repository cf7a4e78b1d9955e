package dev.troupe.persistence.vault;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkJsonProtoKeysetFormat;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import dev.troupe.actors.secret.Vault;
import dev.troupe.persistence.StartRefused;
import java.nio.file.Path;
import java.security.GeneralSecurityException;

/**
 * AES-256-GCM under a Tink key set, which names the key in each sealed text: a key can be replaced
 * by adding one to the file. The context is bound in as associated data.
 */
public final class TinkVault implements Vault {

  private final Aead aead;

  /** A vault with these keys, read from {@code origin}. */
  TinkVault(byte[] keys, Path origin) {
    try {
      AeadConfig.register();
      this.aead =
          TinkJsonProtoKeysetFormat.parseKeyset(
                  new String(keys, UTF_8), InsecureSecretKeyAccess.get())
              .getPrimitive(RegistryConfiguration.get(), Aead.class);
    } catch (GeneralSecurityException failure) {
      throw new StartRefused(
          "The key file %s holds no keys: restore it from a backup.".formatted(origin), failure);
    }
  }

  /** A new key set, as it is kept in its file. */
  static byte[] newKeys() {
    try {
      AeadConfig.register();
      KeysetHandle keys = KeysetHandle.generateNew(PredefinedAeadParameters.AES256_GCM);
      return TinkJsonProtoKeysetFormat.serializeKeyset(keys, InsecureSecretKeyAccess.get())
          .getBytes(UTF_8);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public byte[] seal(byte[] plain, String context) {
    try {
      return aead.encrypt(plain, context.getBytes(UTF_8));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public byte[] open(byte[] sealed, String context) throws GeneralSecurityException {
    return aead.decrypt(sealed, context.getBytes(UTF_8));
  }
}
