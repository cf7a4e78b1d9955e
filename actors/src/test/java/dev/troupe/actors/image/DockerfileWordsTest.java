package dev.troupe.actors.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DockerfileWordsTest {

  @Test
  void splitsAtBlanksOutsideQuotes() {
    assertThat(DockerfileWords.split("A='x y'  B=\"p q\" C=a\\ b"))
        .containsExactly("A='x y'", "B=\"p q\"", "C=a\\ b");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "plain | plain",
        "'it'\"'\"'s' | it's",
        "'$HOME' | $HOME",
        "$HOME/x | /root/x",
        "\"${HOME}\" | /root",
        "${NONE:-fallback} | fallback",
        "$NONE.x | .x",
        "a\\$b | a$b",
        "\"a\\nb\" | a\\nb",
        "cost$ | cost$",
        "${open | ${open"
      })
  void meansWhatAShellWouldMakeOfIt(String word, String meaning) {
    assertThat(DockerfileWords.expand(word, Map.of("HOME", "/root"))).isEqualTo(meaning);
  }
}
