package dev.troupe.gateway.service;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.id.BlobId;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.GenericResult;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Inputs and results as rows keep them. Small ones are kept whole, inline. Of a bigger one the data
 * are lifted out into a blob, and the message names the blob, just as if its sender had uploaded
 * them: so whoever reads it may take the data back in or leave them where they are, as there is
 * room. A message that is still too big (tracebacks) is a blob itself.
 *
 * <p>What touches a blob blocks.
 */
final class Payloads {

  private final BlobStore blobs;
  private final int inlineLimit;

  /** Payloads up to {@code inlineLimit} bytes are kept inline. */
  Payloads(BlobStore blobs, int inlineLimit) {
    this.blobs = blobs;
    this.inlineLimit = inlineLimit;
  }

  /** Bytes that blobs may add to one answer; shared by all that the answer holds. */
  static final class Room {
    private final long each;
    private long left;

    /** Room for {@code total} bytes, and for no single item of more than {@code each}. */
    Room(long each, long total) {
      this.each = each;
      this.left = total;
    }

    private boolean take(long bytes) {
      boolean fits = bytes <= each && bytes <= left;
      left -= fits ? bytes : 0;
      return fits;
    }
  }

  /** Whether a message is kept without touching a blob. */
  boolean isSmall(Message message) {
    return message.getSerializedSize() <= inlineLimit;
  }

  /** Keeps an input; {@code name} makes the name of a blob, if one is needed. */
  Payload keep(FunctionInput input, Supplier<BlobId> name) throws IOException {
    if (input.hasArgsBlobId()) {
      return keepRest(input, name, new BlobId(input.getArgsBlobId()));
    }
    if (isSmall(input)) {
      return Payload.of(input.toByteArray(), null);
    }
    BlobId blob = name.get();
    blobs.putPayload(blob, input.getArgs().newInput());
    return Payload.of(input.toBuilder().setArgsBlobId(blob.value()).build().toByteArray(), blob);
  }

  /** Keeps a result; {@code name} makes the name of a blob, if one is needed. */
  Payload keep(GenericResult result, Supplier<BlobId> name) throws IOException {
    if (result.hasDataBlobId()) {
      return keepRest(result, name, new BlobId(result.getDataBlobId()));
    }
    if (isSmall(result)) {
      return Payload.of(result.toByteArray(), null);
    }
    GenericResult bare = result.toBuilder().clearData().build();
    if (!isSmall(bare)) {
      return keepRest(result, name, null);
    }
    BlobId blob = name.get();
    blobs.putPayload(blob, result.getData().newInput());
    return Payload.of(result.toBuilder().setDataBlobId(blob.value()).build().toByteArray(), blob);
  }

  /** Whether reading the payload touches a blob. */
  static boolean isInline(Payload payload) {
    return payload.inline() != null && payload.attached() == null;
  }

  /** The input, with its data where there is room, else with the name of their blob. */
  FunctionInput input(Payload payload, Room room) throws IOException {
    FunctionInput input = message(payload, FunctionInput.parser());
    if (!input.hasArgsBlobId()) {
      return input;
    }
    return data(new BlobId(input.getArgsBlobId()), room)
        .map(data -> input.toBuilder().setArgs(data).build())
        .orElse(input);
  }

  /** The result, with its data where there is room, else with the name of their blob. */
  GenericResult result(Payload payload, Room room) throws IOException {
    GenericResult result = message(payload, GenericResult.parser());
    if (!result.hasDataBlobId()) {
      return result;
    }
    return data(new BlobId(result.getDataBlobId()), room)
        .map(data -> result.toBuilder().setData(data).build())
        .orElse(result);
  }

  private Payload keepRest(Message message, Supplier<BlobId> name, @Nullable BlobId attached)
      throws IOException {
    if (isSmall(message)) {
      return Payload.of(message.toByteArray(), attached);
    }
    BlobId blob = name.get();
    blobs.putPayload(blob, message.toByteString().newInput());
    return Payload.stored(blob, attached);
  }

  private <M extends Message> M message(Payload payload, Parser<M> parser) throws IOException {
    byte[] inline = payload.inline();
    BlobId stored = payload.stored();
    try {
      if (inline != null) {
        return parser.parseFrom(inline);
      }
      if (stored == null) {
        throw new IllegalStateException("A payload is neither inline nor stored");
      }
      try (InputStream bytes = blobs.openPayload(stored, 0)) {
        return parser.parseFrom(bytes);
      }
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("A kept payload is damaged", damaged);
    }
  }

  /**
   * The data of a blob; empty where there is no room for them, or no such blob. Where the store is
   * away, whoever reads the message fetches them, again and again if need be.
   */
  private Optional<ByteString> data(BlobId blob, Room room) throws IOException {
    try {
      Optional<Long> size = blobs.payloadSize(blob);
      if (size.isEmpty() || !room.take(size.get())) {
        return Optional.empty();
      }
      try (InputStream bytes = blobs.openPayload(blob, 0)) {
        return Optional.of(ByteString.readFrom(bytes));
      }
    } catch (BlobStore.Away later) {
      return Optional.empty();
    }
  }
}
