package dev.troupe.gateway.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.id.SecretId;
import dev.troupe.gateway.testing.XorVault;
import java.security.GeneralSecurityException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SecretBoxTest {

  private static final SecretId SECRET = new SecretId("st-0000000000000000000001");

  private final SecretBox box = new SecretBox(new XorVault());

  @Test
  void givesBackWhatWasSealed() throws GeneralSecurityException {
    Map<String, String> values = Map.of("KEY", "value", "EMPTY", "", "LONG", "ü".repeat(70_000));

    assertThat(box.open(SECRET, box.seal(SECRET, values))).isEqualTo(values);
  }

  @Test
  void opensNothingOfAnotherSecret() {
    byte[] sealed = box.seal(SECRET, Map.of("KEY", "value"));

    assertThatThrownBy(() -> box.open(new SecretId("st-0000000000000000000002"), sealed))
        .isInstanceOf(GeneralSecurityException.class);
  }
}
