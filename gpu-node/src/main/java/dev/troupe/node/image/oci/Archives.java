package dev.troupe.node.image.oci;

import dev.troupe.node.image.BuildFailure;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.tar.TarUtils;

/** Tars that {@code ADD} unpacks, packed by gzip, bzip2, xz, Zstandard or not at all. */
public final class Archives {

  /** Whether a file is such a tar, told by what is in it. */
  public static boolean isArchive(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try (InputStream packed = Files.newInputStream(file);
        InputStream plain = Decompression.openAny(packed)) {
      byte[] header = plain.readNBytes(TarConstants.DEFAULT_RCDSIZE);
      return header.length == TarConstants.DEFAULT_RCDSIZE && TarUtils.verifyCheckSum(header);
    } catch (IOException | RuntimeException isNoArchive) {
      return false;
    }
  }

  /**
   * Unpacks one into an empty folder, and touches nothing outside of it.
   *
   * @throws BuildFailure for what is the archive's own fault
   */
  public static void unpack(Path archive, Path folder, ImageSettings settings) throws IOException {
    try (InputStream packed = new BufferedInputStream(Files.newInputStream(archive));
        InputStream plain = Decompression.openAny(packed)) {
      LayerUnpacker.unpackPlain(plain, folder, settings.layerLimits());
    } catch (MalformedLayer malformed) {
      throw new BuildFailure(
          "The archive '%s' can't be unpacked: %s."
              .formatted(archive.getFileName(), malformed.getMessage()));
    }
  }

  private Archives() {}
}
