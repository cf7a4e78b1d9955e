package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.BlobId;
import dev.troupe.persistence.store.DurableFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Blobs as files of one directory. Every file is written aside, synced and then given its name, so
 * that it is there whole or not at all.
 *
 * <pre>
 *   content/ab/abcdef…            content by digest; its time is when it was last put or asked for
 *   payload/2026-11-24/bl-…       payloads by the day they were written, in UTC
 *   parts/bl-…/1, 2, …            parts of payloads that are not whole yet
 *   parts/bl-…/joined             what was answered when they were joined
 *   aside/…                       being written; what is left over goes at a start
 *   STORE                         names the store, for those who share it
 * </pre>
 */
public final class FileBlobStore implements BlobStore {

  private final ContentFiles content;
  private final PayloadFiles payloads;
  private final PartFiles parts;

  private FileBlobStore(ContentFiles content, PayloadFiles payloads, PartFiles parts) {
    this.content = content;
    this.payloads = payloads;
    this.parts = parts;
  }

  /** Opens the store in a directory, making it if need be. */
  public static FileBlobStore open(Path root, Sharing sharing, InstantSource clock)
      throws IOException {
    DurableFiles.createPrivateDirectory(root);
    Aside aside = Aside.open(root.resolve("aside"), sharing, clock);
    PayloadFiles payloads = PayloadFiles.open(root.resolve("payload"), aside, clock);
    return new FileBlobStore(
        ContentFiles.open(root.resolve("content"), aside, clock),
        payloads,
        PartFiles.open(root.resolve("parts"), aside, payloads, clock));
  }

  /** The name of the store in a directory, made with the first question. */
  public static String identity(Path root) throws IOException {
    Path file = root.resolve("STORE");
    if (Files.notExists(file)) {
      DurableFiles.write(file, UUID.randomUUID().toString().getBytes(UTF_8));
    }
    return Files.readString(file, UTF_8).strip();
  }

  @Override
  public void putContent(String sha256Hex, InputStream bytes) throws IOException {
    content.put(sha256Hex, bytes);
  }

  @Override
  public Set<String> missingContent(Collection<String> sha256Hex) throws IOException {
    return content.missing(sha256Hex);
  }

  @Override
  public InputStream open(String sha256Hex) throws IOException {
    return content.open(sha256Hex);
  }

  @Override
  public Written putPayload(BlobId blob, InputStream bytes) throws IOException {
    return payloads.put(blob, bytes);
  }

  @Override
  public Written putPart(BlobId blob, int number, InputStream bytes) throws IOException {
    return parts.put(blob, number, bytes);
  }

  @Override
  public Written completeParts(BlobId blob, int count) throws IOException {
    return parts.join(blob, count);
  }

  @Override
  public Optional<Long> payloadSize(BlobId blob) throws IOException {
    return payloads.size(blob);
  }

  @Override
  public InputStream openPayload(BlobId blob, long offset) throws IOException {
    return payloads.open(blob, offset);
  }

  @Override
  public void deletePayloads(Collection<BlobId> blobs) throws IOException {
    for (BlobId blob : blobs) {
      parts.delete(blob);
      payloads.delete(blob);
    }
  }

  /** Successive calls go round, so that what is owned does not hide orphans behind the limit. */
  @Override
  public List<BlobId> payloadsOlderThan(Instant before, int limit) throws IOException {
    return payloads.olderThan(before, parts.idleSince(before), limit);
  }
}
