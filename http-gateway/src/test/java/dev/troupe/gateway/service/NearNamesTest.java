package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearNamesTest {

  private static final List<String> NAMES = List.of("hello-world", "hello", "shop", "reports");

  @ParameterizedTest
  @CsvSource({
    "helo, hello",
    "hello_world, hello-world",
    "HELLO, hello",
    "hsop, shop",
    "rep, reports",
    "shopp, shop"
  })
  void findsWhatWasMeant(String word, String meant) {
    assertThat(NearNames.to(word, NAMES, 3)).startsWith(meant);
  }

  @ParameterizedTest
  @CsvSource({"re", "warehouse", "x"})
  void doesNotGuess(String word) {
    assertThat(NearNames.to(word, NAMES, 3)).isEmpty();
  }

  @Test
  void givesNoMoreThanAskedForAndNotTheWordItself() {
    assertThat(NearNames.to("hello", NAMES, 5)).doesNotContain("hello");
    assertThat(NearNames.to("aa", List.of("ab", "ac", "ad"), 2)).containsExactly("ab", "ac");
    assertThat(NearNames.to("", NAMES, 5)).isEmpty();
    assertThat(NearNames.to("a".repeat(1_000), NAMES, 5)).isEmpty();
  }
}
