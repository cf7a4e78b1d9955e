package dev.troupe.persistence.journal;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.io.NotSerializableException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/** Writes and reads the events of all entities as protobuf. */
public final class JournalSerializer extends SerializerWithStringManifest {

  /** The journal's format that this release writes; it reads all up to it. */
  static final int FORMAT = 1;

  /** Kept in each row, so it never changes. */
  private static final int IDENTIFIER = 28_011;

  private static final List<EventCodec<?>> CODECS =
      List.of(
          new AppEvents(),
          new FunctionEvents(),
          new ImageEvents(),
          new ImageNameEvents(),
          new SecretEvents());

  private final Map<String, EventCodec.Reader<?>> readers = new HashMap<>();

  public JournalSerializer() {
    CODECS.forEach(codec -> readers.putAll(codec.readers()));
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public String manifest(Object event) {
    return entry(event).manifest();
  }

  @Override
  public byte[] toBinary(Object event) {
    MessageLite message = entry(event).message();
    byte[] bytes = new byte[message.getSerializedSize()];
    CodedOutputStream output = CodedOutputStream.newInstance(bytes);
    // Entries of maps in the order of their keys: equal events have equal bytes.
    output.useDeterministicSerialization();
    try {
      message.writeTo(output);
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
    return bytes;
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    EventCodec.Reader<?> reader = readers.get(manifest);
    if (reader == null) {
      throw new NotSerializableException(unknown(manifest));
    }
    try {
      return reader.read(bytes);
    } catch (InvalidProtocolBufferException damaged) {
      throw new NotSerializableException(
          "the journal holds an event '%s' whose bytes are damaged: %s"
              .formatted(manifest, damaged.getMessage()));
    }
  }

  private static String unknown(String manifest) {
    int at = manifest.lastIndexOf('@');
    return ("the journal holds an event '%s' of format %s, and this release reads formats up to"
            + " %d: start the release of Troupe that wrote it")
        .formatted(
            at < 0 ? manifest : manifest.substring(0, at),
            at < 0 ? "unknown" : manifest.substring(at + 1),
            FORMAT);
  }

  /** What an event becomes. */
  private record Entry(String manifest, MessageLite message) {}

  private static Entry entry(Object event) {
    for (EventCodec<?> codec : CODECS) {
      if (codec.type().isInstance(event)) {
        return entry(codec, event);
      }
    }
    throw new IllegalArgumentException("no event of the journal: " + event.getClass().getName());
  }

  private static <E> Entry entry(EventCodec<E> codec, Object event) {
    E typed = codec.type().cast(event);
    return new Entry(codec.manifest(typed), codec.message(typed));
  }
}
