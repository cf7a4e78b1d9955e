package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.gateway.rpc.RpcFailure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogCursorTest {

  @Test
  void comesBackAsItWentOut() {
    LogCursor cursor =
        LogCursor.START
            .afterNews(1_730_000_000_000_000L)
            .after(new MachineId("rack 1, box@2-a"), new Position(1_730_000_000_000_001L, 3))
            .after(new MachineId("b"), new Position(5, 0));

    assertThat(LogCursor.parse(cursor.text())).isEqualTo(cursor);
  }

  @Test
  void knowsWhereTheReaderBegan() {
    LogCursor cursor = LogCursor.beginningAt(7).after(new MachineId("b"), new Position(9, 1));

    assertThat(LogCursor.parse(cursor.text())).isEqualTo(cursor);
    assertThat(LogCursor.parse(cursor.text()).beginning()).isEqualTo(new Position(7, 0));
  }

  @Test
  void isTheStartWhereNothingWasRead() {
    assertThat(LogCursor.parse("")).isEqualTo(LogCursor.START);
  }

  @Test
  void neverGoesBackInNews() {
    assertThat(LogCursor.START.afterNews(9).afterNews(4).newsMicros()).isEqualTo(9);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"x", "1,", "1,m", "1,m@", "1,m@2", "1,m@2-x", "1,%zz@2-3", "1,@2-3", "1:", "1:x"})
  void refusesWhatIsNone(String text) {
    assertThatThrownBy(() -> LogCursor.parse(text)).isInstanceOf(RpcFailure.class);
  }
}
