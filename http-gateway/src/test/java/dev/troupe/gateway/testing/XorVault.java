package dev.troupe.gateway.testing;

import dev.troupe.actors.secret.Vault;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;

/** A vault that keeps nothing secret, but holds to its contract: the context must be the same. */
public final class XorVault implements Vault {

  private static final byte MASK = 0x5a;

  @Override
  public byte[] seal(byte[] plain, String context) {
    byte[] prefix = (context + "\n").getBytes(StandardCharsets.UTF_8);
    byte[] sealed = Arrays.copyOf(prefix, prefix.length + plain.length);
    for (int i = 0; i < plain.length; i++) {
      sealed[prefix.length + i] = (byte) (plain[i] ^ MASK);
    }
    return sealed;
  }

  @Override
  public byte[] open(byte[] sealed, String context) throws GeneralSecurityException {
    byte[] prefix = (context + "\n").getBytes(StandardCharsets.UTF_8);
    if (sealed.length < prefix.length
        || !Arrays.equals(prefix, Arrays.copyOf(sealed, prefix.length))) {
      throw new GeneralSecurityException("sealed for another context");
    }
    byte[] plain = Arrays.copyOfRange(sealed, prefix.length, sealed.length);
    for (int i = 0; i < plain.length; i++) {
      plain[i] ^= MASK;
    }
    return plain;
  }
}
