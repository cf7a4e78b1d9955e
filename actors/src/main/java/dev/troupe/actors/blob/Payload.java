package dev.troupe.actors.blob;

import dev.troupe.actors.id.BlobId;
import org.jspecify.annotations.Nullable;

/**
 * The serialized message of an input or output, opaque to us: inline up to {@code
 * calls.inline-limit}, else stored as a blob by the gateway.
 *
 * @param inline the bytes; null where they are stored
 * @param stored the blob that holds them; null where they are inline
 * @param attached a blob that the message itself names (the client uploaded the data beforehand);
 *     it lives and dies with the payload's row
 */
public record Payload(
    byte @Nullable [] inline, @Nullable BlobId stored, @Nullable BlobId attached) {

  /** A payload that holds its bytes. */
  public static Payload of(byte[] inline, @Nullable BlobId attached) {
    return new Payload(inline, null, attached);
  }

  /** A payload that is stored. */
  public static Payload stored(BlobId stored, @Nullable BlobId attached) {
    return new Payload(null, stored, attached);
  }

  /** Bytes it takes in a row and in memory. */
  public int sizeBytes() {
    return 128 + (inline == null ? 0 : inline.length);
  }
}
