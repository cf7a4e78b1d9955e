package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.persistence.BlobSettings;
import dev.troupe.persistence.BlobSettings.Place;
import dev.troupe.persistence.StartRefused;
import dev.troupe.persistence.store.DataDirectory;
import dev.troupe.persistence.store.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.InstantSource;

/**
 * Blobs and logs where the settings say: in the data directory, in a shared one, or in a bucket. A
 * place outside has a mark of whose it is: two servers in one would take each other's payloads for
 * orphans.
 *
 * @param identity tells the place from others, whatever path leads to it
 */
public record BlobHome(BlobStore blobs, LogArchive logs, String identity, AutoCloseable closing) {

  /** The mark of the owner. */
  static final String OWNER = "OWNER";

  /**
   * Opens the place of the settings.
   *
   * @param owner tells this server, and all of its processes, from others
   * @throws StartRefused when it can't be used
   */
  public static BlobHome open(BlobSettings settings, DataDirectory data, String owner)
      throws IOException {
    Place place = settings.place();
    data.prepareBlobs(!(place instanceof Place.Own));
    return switch (place) {
      case Place.Own() -> directory(data.blobs(), Sharing.PRIVATE);
      case Place.Shared(var root) -> shared(root, owner);
      case Place.S3 s3 -> S3Connection.open(settings, s3, data.spool(), owner);
    };
  }

  private static BlobHome directory(Path root, Sharing sharing) throws IOException {
    InstantSource clock = InstantSource.system();
    return new BlobHome(
        FileBlobStore.open(root, sharing, clock),
        FileLogArchive.open(root, sharing, clock),
        FileBlobStore.identity(root),
        () -> {});
  }

  private static BlobHome shared(Path root, String owner) throws IOException {
    if (!Files.isDirectory(root)) {
      throw new StartRefused(
          "There is no directory %s. Mount or make it, or correct troupe.blob.url."
              .formatted(root));
    }
    try {
      Path mark = root.resolve(OWNER);
      try {
        checkOwner("The directory " + root, Files.readString(mark, UTF_8), owner);
      } catch (NoSuchFileException fresh) {
        DurableFiles.write(mark, owner.getBytes(UTF_8));
      }
      return directory(root, Sharing.SHARED);
    } catch (IOException failure) {
      throw new StartRefused(
          "The directory %s of troupe.blob.url can't be used: %s.".formatted(root, failure),
          failure);
    }
  }

  /** Refuses a place of another server. */
  static void checkOwner(String place, String marked, String owner) {
    if (!marked.strip().equals(owner)) {
      throw new StartRefused(
          ("%s holds the blobs of a server with other keys. Give this server a place of its own, or"
                  + " start it with the data directory that belongs to it.")
              .formatted(place));
    }
  }
}
