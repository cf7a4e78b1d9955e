package dev.troupe.node.image.oci;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/** What a layer is packed with, by its first bytes: media types are not always true. */
final class Decompression {

  private static final int BUFFER = 128 << 10;

  /** The tar in a layer: gzip and Zstandard are unpacked, anything else is taken as it is. */
  static InputStream open(InputStream packed) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(packed, BUFFER);
    buffered.mark(4);
    byte[] first = buffered.readNBytes(4);
    buffered.reset();
    if (first.length >= 2 && (first[0] & 0xff) == 0x1f && (first[1] & 0xff) == 0x8b) {
      return GzipCompressorInputStream.builder()
          .setInputStream(buffered)
          .setDecompressConcatenated(true)
          .get();
    }
    if (first.length == 4
        && (first[0] & 0xff) == 0x28
        && (first[1] & 0xff) == 0xb5
        && (first[2] & 0xff) == 0x2f
        && (first[3] & 0xff) == 0xfd) {
      return new ZstdInputStream(buffered).setContinuous(true);
    }
    return buffered;
  }

  private Decompression() {}
}
