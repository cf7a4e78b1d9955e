package dev.troupe.persistence.vault;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.persistence.StartRefused;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import org.junit.jupiter.api.Test;

class TinkVaultTest {

  private static final byte[] PLAIN = "a secret".getBytes(UTF_8);

  private final byte[] keys = TinkVault.newKeys();
  private final TinkVault vault = new TinkVault(keys, Path.of("vault.json"));

  @Test
  void opensWhatItSealedAlsoAfterARestart() throws GeneralSecurityException {
    byte[] sealed = vault.seal(PLAIN, "st-1");

    assertThat(new String(sealed, UTF_8)).doesNotContain("a secret");
    assertThat(new TinkVault(keys, Path.of("vault.json")).open(sealed, "st-1")).isEqualTo(PLAIN);
    assertThat(vault.seal(PLAIN, "st-1")).as("never the same twice").isNotEqualTo(sealed);
  }

  @Test
  void refusesAnotherContext() {
    byte[] sealed = vault.seal(PLAIN, "st-1");

    assertThatThrownBy(() -> vault.open(sealed, "st-2"))
        .isInstanceOf(GeneralSecurityException.class);
  }

  @Test
  void refusesChangedBytesAndAnotherKey() {
    byte[] sealed = vault.seal(PLAIN, "st-1");
    TinkVault other = new TinkVault(TinkVault.newKeys(), Path.of("vault.json"));
    assertThatThrownBy(() -> other.open(sealed, "st-1"))
        .isInstanceOf(GeneralSecurityException.class);

    sealed[sealed.length - 1] ^= 1;
    assertThatThrownBy(() -> vault.open(sealed, "st-1"))
        .isInstanceOf(GeneralSecurityException.class);
    assertThatThrownBy(() -> vault.open(new byte[0], "st-1"))
        .isInstanceOf(GeneralSecurityException.class);
  }

  @Test
  void aFileWithoutKeysIsNamed() {
    assertThatThrownBy(() -> new TinkVault("no keys".getBytes(UTF_8), Path.of("/d/vault.json")))
        .isInstanceOf(StartRefused.class)
        .hasMessage("The key file /d/vault.json holds no keys: restore it from a backup.");
  }
}
