package dev.troupe.persistence.journal;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.util.Map;

/**
 * The events of one kind of entity, to and from their messages. A manifest is {@code
 * <entity>.<fact>@<format>}, where the format is the version of the journal's format that brought
 * this kind of event.
 */
interface EventCodec<E> {

  /** The sealed interface of the events. */
  Class<E> type();

  /** What an event is called on disk, for ever. */
  String manifest(E event);

  /** What is written of an event. */
  MessageLite message(E event);

  /** How events are read, by manifest: all that were ever written. */
  Map<String, Reader<E>> readers();

  /** Reads one kind of event. */
  @FunctionalInterface
  interface Reader<E> {
    E read(byte[] bytes) throws InvalidProtocolBufferException;
  }
}
