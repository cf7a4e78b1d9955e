package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.gateway.rpc.RpcFailure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputCursorTest {

  @Test
  void comesBackAsItWentOut() {
    OutputNumber number = new OutputNumber(7, Long.MAX_VALUE);

    assertThat(OutputCursor.parse(OutputCursor.text(number))).isEqualTo(number);
  }

  @Test
  void knowsTheClientsWordsForTheStart() {
    assertThat(OutputCursor.parse("")).isEqualTo(OutputNumber.START);
    assertThat(OutputCursor.parse("0-0")).isEqualTo(OutputNumber.START);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-", "7", "7-", "-7-1-2", "a-b", "1-99999999999999999999"})
  void refusesWhatIsNone(String text) {
    assertThatThrownBy(() -> OutputCursor.parse(text)).isInstanceOf(RpcFailure.class);
  }
}
