package dev.troupe.node.log;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.troupe.node.door.InputWatch;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.FunctionPutOutputsItem;
import dev.troupe.protocol.modal.FunctionPutOutputsRequest;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The inputs that a container holds, as they pass through its door; what it prints meanwhile is
 * theirs. With several at a time nobody can tell whose a line is, but if all are of one call, of
 * which call it is.
 *
 * <p>At each change, what was printed before may still be in the pipes: they are told whose it is.
 */
public final class HeldInputs implements InputWatch {

  /** In front of the keys of an id, and the keys of a call: {@code in-}, then two of 22. */
  private static final int PREFIX = "in-".length();

  private static final int CALL_KEYS = 44;

  /** Whose a line is: an input, else a call, else nobody's. */
  public record Held(String inputId, String callId) {
    /** Nobody's. */
    public static final Held NONE = new Held("", "");
  }

  private final Set<String> inputs = new HashSet<>();
  private final Consumer<Held> changing;
  private volatile Held held = Held.NONE;

  /**
   * Nothing is held yet.
   *
   * @param changing told what was held whenever that changes, before it does
   */
  public HeldInputs(Consumer<Held> changing) {
    this.changing = changing;
  }

  /** Whose a line is that is printed now. */
  public Held now() {
    return held;
  }

  @Override
  public synchronized void given(byte[] response) {
    eachId(
        response,
        FunctionGetInputsResponse.INPUTS_FIELD_NUMBER,
        FunctionGetInputsItem.INPUT_ID_FIELD_NUMBER,
        inputs::add);
    change();
  }

  @Override
  public synchronized void gave(byte[] request) {
    eachId(
        request,
        FunctionPutOutputsRequest.OUTPUTS_FIELD_NUMBER,
        FunctionPutOutputsItem.INPUT_ID_FIELD_NUMBER,
        inputs::remove);
    change();
  }

  private void change() {
    Held before = held;
    Held after = inputs.isEmpty() ? Held.NONE : ofAll();
    if (!after.equals(before)) {
      changing.accept(before);
      held = after;
    }
  }

  private Held ofAll() {
    String first = inputs.iterator().next();
    if (inputs.size() == 1) {
      return new Held(first, "");
    }
    String keys = callKeys(first);
    return inputs.stream().allMatch(input -> callKeys(input).equals(keys))
        ? new Held("", "fc-" + keys)
        : Held.NONE;
  }

  private static String callKeys(String input) {
    return input.substring(PREFIX, Math.min(input.length(), PREFIX + CALL_KEYS));
  }

  /** Reads one string of each item and passes over the rest: arguments and results are large. */
  private static void eachId(byte[] message, int items, int id, Consumer<String> to) {
    try {
      CodedInputStream bytes = CodedInputStream.newInstance(message);
      for (int tag = bytes.readTag(); tag != 0; tag = bytes.readTag()) {
        if (tag == tag(items)) {
          int outer = bytes.pushLimit(bytes.readRawVarint32());
          for (int field = bytes.readTag(); field != 0; field = bytes.readTag()) {
            if (field == tag(id)) {
              String input = bytes.readString();
              if (input.length() > PREFIX) {
                to.accept(input);
              }
            } else {
              bytes.skipField(field);
            }
          }
          bytes.popLimit(outer);
        } else {
          bytes.skipField(tag);
        }
      }
    } catch (IOException malformed) {
      // Whoever it is for will say so.
    }
  }

  private static int tag(int field) {
    return (field << 3) | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }
}
