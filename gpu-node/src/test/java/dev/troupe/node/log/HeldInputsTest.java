package dev.troupe.node.log;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.FunctionPutOutputsItem;
import dev.troupe.protocol.modal.FunctionPutOutputsRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeldInputsTest {

  private static final String CALL = "f".repeat(22) + "c".repeat(22);
  private static final String FIRST = "in-" + CALL + "0";
  private static final String SECOND = "in-" + CALL + "1";
  private static final String OTHER = "in-" + "f".repeat(22) + "d".repeat(22) + "0";

  private final List<HeldInputs.Held> changes = new ArrayList<>();
  private final HeldInputs inputs = new HeldInputs(changes::add);

  private void given(String... ids) {
    var response = FunctionGetInputsResponse.newBuilder().setRateLimitSleepDuration(1);
    for (String id : ids) {
      response.addInputs(
          FunctionGetInputsItem.newBuilder()
              .setInputId(id)
              .setInput(FunctionInput.newBuilder().setArgs(ByteString.copyFromUtf8("\n\3in-")))
              .setRetryCount(2));
    }
    inputs.given(response.build().toByteArray());
  }

  private void gave(String id) {
    inputs.gave(
        FunctionPutOutputsRequest.newBuilder()
            .addOutputs(FunctionPutOutputsItem.newBuilder().setInputId(id).setInputStartedAt(1))
            .setRequestedAt(2)
            .build()
            .toByteArray());
  }

  @Test
  void aLineIsOfTheOneInputThatIsHeld() {
    assertThat(inputs.now()).isEqualTo(HeldInputs.Held.NONE);
    given(FIRST);
    assertThat(inputs.now()).isEqualTo(new HeldInputs.Held(FIRST, ""));
    gave(FIRST);
    given(OTHER);
    assertThat(inputs.now()).isEqualTo(new HeldInputs.Held(OTHER, ""));
  }

  @Test
  void eachChangeIsToldBeforeItIsThere() {
    given(FIRST);
    given();
    gave(FIRST);
    given(SECOND);
    assertThat(changes)
        .containsExactly(
            HeldInputs.Held.NONE, new HeldInputs.Held(FIRST, ""), HeldInputs.Held.NONE);
  }

  @Test
  void aLineIsOfTheCallOfSeveralInputsWhereThatIsOne() {
    given(FIRST, SECOND);
    assertThat(inputs.now()).isEqualTo(new HeldInputs.Held("", "fc-" + CALL));
    given(OTHER);
    assertThat(inputs.now()).isEqualTo(HeldInputs.Held.NONE);
    gave(OTHER);
    gave(FIRST);
    assertThat(inputs.now()).isEqualTo(new HeldInputs.Held(SECOND, ""));
  }

  @Test
  void anAnswerWithoutInputsAndBytesThatAreNoneChangeNothing() {
    given(FIRST);
    given();
    inputs.given(new byte[] {1, 2, 3});
    inputs.gave(new byte[] {-1, -1});
    assertThat(inputs.now()).isEqualTo(new HeldInputs.Held(FIRST, ""));
  }
}
