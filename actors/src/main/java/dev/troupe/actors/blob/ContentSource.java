package dev.troupe.actors.blob;

import java.io.IOException;
import java.io.InputStream;

/**
 * Content by digest, as an agent needs it: files of mounts. The embedded agent reads the blob store
 * itself, one on a machine of its own asks a gateway. Blocking.
 */
public interface ContentSource {

  /** Path of content on a gateway, before its digest. */
  String PATH = "/_troupe/content/";

  /**
   * The bytes whose SHA-256 is {@code sha256Hex}; the reader checks the digest.
   *
   * @throws java.io.FileNotFoundException when there are none
   */
  InputStream open(String sha256Hex) throws IOException;

  /**
   * The same, with the key that came with the order to fetch it: a machine elsewhere gets nothing
   * without.
   */
  default InputStream open(String sha256Hex, String key) throws IOException {
    return open(sha256Hex);
  }
}
