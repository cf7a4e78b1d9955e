package dev.troupe.gateway.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import dev.troupe.gateway.rpc.RpcFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.pekko.util.ByteString;

/**
 * How gRPC puts messages on a stream: a byte that says whether the message is compressed, four for
 * its length, the message.
 */
final class Frames {

  /** Length of what stands before a message. */
  static final int PREFIX_BYTES = 5;

  private Frames() {}

  /** The length that a prefix tells; refuses compressed messages and such as are too long. */
  static int messageLength(ByteString prefix) {
    if (prefix.apply(0) != 0) {
      throw RpcFailure.unimplemented(
          prefix.apply(0) == 1
              ? "The request is compressed; Troupe takes uncompressed messages only."
              : "The request is malformed: it does not start with a gRPC message.");
    }
    long length = 0;
    for (int i = 1; i < PREFIX_BYTES; i++) {
      length = (length << 8) | (prefix.apply(i) & 0xff);
    }
    if (length > MessageLimit.BYTES) {
      throw MessageLimit.exceededBy(length);
    }
    return (int) length;
  }

  /** A message with its prefix. */
  static ByteString encode(Message message) {
    int length = message.getSerializedSize();
    byte[] frame = new byte[PREFIX_BYTES + length];
    ByteBuffer.wrap(frame).put((byte) 0).putInt(length);
    CodedOutputStream output = CodedOutputStream.newInstance(frame, PREFIX_BYTES, length);
    try {
      message.writeTo(output);
      output.checkNoSpaceLeft();
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
    return ByteString.fromArrayUnsafe(frame);
  }

  /** Reads a message from where it lies, without joining its pieces first. */
  static CodedInputStream input(ByteString message) {
    return message.isCompact()
        ? CodedInputStream.newInstance(message.toArrayUnsafe())
        : CodedInputStream.newInstance(message.getByteBuffers());
  }
}
