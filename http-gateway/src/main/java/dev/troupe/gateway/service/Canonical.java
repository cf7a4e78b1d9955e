package dev.troupe.gateway.service;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import dev.troupe.actors.id.Ids;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HexFormat;

/** Messages as bytes that are the same whenever the messages are. */
final class Canonical {

  private Canonical() {}

  /** The message with its maps in order: equal messages give equal bytes. */
  static byte[] bytes(Message message) {
    byte[] bytes = new byte[message.getSerializedSize()];
    CodedOutputStream output = CodedOutputStream.newInstance(bytes);
    output.useDeterministicSerialization();
    try {
      message.writeTo(output);
      output.checkNoSpaceLeft();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes;
  }

  /** SHA-256 of some bytes, in hexadecimal. */
  static String sha256Hex(byte[] bytes) {
    return HexFormat.of().formatHex(Ids.sha256().digest(bytes));
  }
}
