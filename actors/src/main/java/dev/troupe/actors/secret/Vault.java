package dev.troupe.actors.secret;

import java.security.GeneralSecurityException;

/** Encrypts what is at rest, with a key that is kept outside the database. */
public interface Vault {

  /**
   * Encrypts; {@code context} (an id) must be the same to decrypt, so that rows can't be swapped.
   */
  byte[] seal(byte[] plain, String context);

  /**
   * Decrypts.
   *
   * @throws GeneralSecurityException when the bytes were changed, or sealed by another key or for
   *     another context
   */
  byte[] open(byte[] sealed, String context) throws GeneralSecurityException;
}
