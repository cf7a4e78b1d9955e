package dev.troupe.persistence.blob;

import dev.troupe.persistence.store.DurableFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.UUID;

/** Where files are written before they get their names. */
final class Aside {

  private static final int BUFFER_BYTES = 128 * 1024;

  /** Longer than anything is written. */
  private static final Duration OLD = Duration.ofDays(1);

  private final Path directory;

  private Aside(Path directory) {
    this.directory = directory;
  }

  /**
   * Opens the directory and empties it of what nobody goes on with: of all that lies there, or,
   * where other processes may be writing, of what is old.
   */
  static Aside open(Path directory, InstantSource clock, boolean shared) throws IOException {
    DurableFiles.createPrivateDirectory(directory);
    FileTime old = FileTime.from(clock.instant().minus(OLD));
    try (DirectoryStream<Path> left = Files.newDirectoryStream(directory)) {
      for (Path file : left) {
        if (!shared || isOlder(file, old)) {
          Files.deleteIfExists(file);
        }
      }
    }
    return new Aside(directory);
  }

  private static boolean isOlder(Path file, FileTime than) throws IOException {
    try {
      return Files.getLastModifiedTime(file).compareTo(than) < 0;
    } catch (NoSuchFileException publishedMeanwhile) {
      return false;
    }
  }

  /** Where a file will lie, once its bytes are known. */
  @FunctionalInterface
  interface Destination {
    /** The file's place; an exception keeps it from being made. */
    Path of(Digested bytes) throws IOException;
  }

  /** What was read. */
  record Digested(long sizeBytes, byte[] digest) {
    String hex() {
      return HexFormat.of().formatHex(digest);
    }
  }

  /** Writes a file whole: reads to the end, syncs, names it and dates it {@code at}. */
  Digested write(InputStream bytes, String algorithm, Instant at, Destination destination)
      throws IOException {
    Path file = directory.resolve(UUID.randomUUID().toString());
    try {
      Digested digested;
      try (FileChannel channel = DurableFiles.create(file)) {
        digested = copy(bytes, channel, digest(algorithm));
        channel.force(true);
      }
      Files.setLastModifiedTime(file, FileTime.from(at));
      DurableFiles.publish(file, destination.of(digested));
      return digested;
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static Digested copy(InputStream bytes, FileChannel channel, MessageDigest digest)
      throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    long size = 0;
    for (int read = bytes.read(buffer); read >= 0; read = bytes.read(buffer)) {
      digest.update(buffer, 0, read);
      ByteBuffer rest = ByteBuffer.wrap(buffer, 0, read);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      size += read;
    }
    return new Digested(size, digest.digest());
  }

  static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
