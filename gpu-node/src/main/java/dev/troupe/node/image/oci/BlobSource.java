package dev.troupe.node.image.oci;

import java.io.IOException;
import java.io.InputStream;

/** Where blobs come from; what comes is not checked yet. */
@FunctionalInterface
interface BlobSource {

  /**
   * Opens a blob.
   *
   * @param attempt from 0: another place may be asked at a later one
   */
  InputStream open(Descriptor blob, int attempt) throws IOException, InterruptedException;
}
