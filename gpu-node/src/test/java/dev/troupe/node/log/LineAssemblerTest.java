package dev.troupe.node.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineAssemblerTest {

  private final LineAssembler assembler = new LineAssembler();

  private List<String> feed(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return assembler.feed(bytes, bytes.length);
  }

  @Test
  void joinsSmallWritesToOneLine() {
    assertThat(feed("a")).isEmpty();
    assertThat(feed(" 7")).isEmpty();
    assertThat(feed("\n")).containsExactly("a 7\n");
  }

  @Test
  void givesEveryLineOfABurst() {
    assertThat(feed("one\ntwo\n\nthr")).containsExactly("one\n", "two\n", "\n");
    assertThat(assembler.flush()).containsExactly("thr");
    assertThat(assembler.hasPartial()).isFalse();
  }

  @Test
  void anEndlessLineComesInPieces() {
    assertThat(feed("x".repeat(LineAssembler.LONGEST + 5))).hasSize(1);
    assertThat(assembler.end()).containsExactly("xxxxx");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void noPieceIsCutInsideACharacter(long seed) {
    Random random = new Random(seed);
    String text = "aé€😀\n".repeat(2_000) + "€".repeat(20_000);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    List<String> pieces = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      int count = Math.min(bytes.length - at, 1 + random.nextInt(700));
      byte[] part = java.util.Arrays.copyOfRange(bytes, at, at + count);
      pieces.addAll(assembler.feed(part, count));
      if (random.nextInt(3) == 0) {
        pieces.addAll(assembler.flush());
      }
      at += count;
    }
    pieces.addAll(assembler.end());

    assertThat(String.join("", pieces)).isEqualTo(text);
  }
}
