package dev.troupe.node.image.oci;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.tukaani.xz.XZInputStream;

/** What a layer is packed with, by its first bytes: media types are not always true. */
final class Decompression {

  private static final int BUFFER = 128 << 10;
  private static final byte[] XZ = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0};

  /** Enough for what the program xz makes at its highest level. */
  private static final int XZ_MEMORY_KIB = 100 << 10;

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

  /** The tar in an archive of a user, which may be packed by bzip2 and xz, too. */
  static InputStream openAny(InputStream packed) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(packed, BUFFER);
    buffered.mark(XZ.length);
    byte[] first = buffered.readNBytes(XZ.length);
    buffered.reset();
    if (Arrays.equals(first, XZ)) {
      return new XZInputStream(buffered, XZ_MEMORY_KIB);
    }
    return BZip2CompressorInputStream.matches(first, first.length)
        ? new BZip2CompressorInputStream(buffered, true)
        : open(buffered);
  }

  private Decompression() {}
}
