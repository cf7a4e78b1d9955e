package dev.troupe.persistence.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.app.AppEvent;
import dev.troupe.actors.function.FunctionEvent;
import dev.troupe.actors.image.ImageEvent;
import dev.troupe.actors.imagename.ImageNameEvent;
import dev.troupe.actors.secret.SecretEvent;
import java.io.IOException;
import java.io.NotSerializableException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The journal's format. A golden file holds a manifest and the bytes of an event in hexadecimal, as
 * some release wrote them: files are added, never changed. Where an event is new, the failing test
 * says what its file must hold.
 */
class JournalSerializerTest {

  private static final Path GOLDEN = Path.of("src", "test", "golden", "journal", "1");
  private static final List<Class<?>> KINDS =
      List.of(
          AppEvent.class,
          FunctionEvent.class,
          ImageEvent.class,
          ImageNameEvent.class,
          SecretEvent.class);

  private final JournalSerializer serializer = new JournalSerializer();

  static Stream<String> names() {
    return JournalEvents.all().keySet().stream();
  }

  private static Object event(String name) {
    Object event = JournalEvents.all().get(name);
    if (event == null) {
      throw new AssertionError("the golden file " + name + " has no event in JournalEvents");
    }
    return event;
  }

  @ParameterizedTest
  @MethodSource("names")
  void writesTheGoldenBytesAndReadsThemBack(String name) throws IOException {
    Object event = event(name);
    String written =
        serializer.manifest(event)
            + "\n"
            + HexFormat.of().formatHex(serializer.toBinary(event)).replaceAll("(.{100})", "$1\n")
            + "\n";

    assertThat(GOLDEN.resolve(name + ".hex")).hasContent(written);

    Object read = serializer.fromBinary(serializer.toBinary(event), serializer.manifest(event));
    assertThat(read).usingRecursiveComparison().isEqualTo(event);
    assertThat(read).hasSameClassAs(event);
  }

  @Test
  void readsEveryGoldenFile() throws IOException {
    try (Stream<Path> files = Files.list(GOLDEN)) {
      for (Path file : files.toList()) {
        List<String> lines = Files.readAllLines(file, UTF_8);
        byte[] bytes = HexFormat.of().parseHex(String.join("", lines.subList(1, lines.size())));
        String name = file.getFileName().toString().replace(".hex", "");

        assertThat(serializer.fromBinary(bytes, lines.getFirst()))
            .as(name)
            .usingRecursiveComparison()
            .isEqualTo(event(name));
      }
    }
  }

  @Test
  void knowsEveryEventOfEveryEntity() {
    Set<Class<?>> tested =
        JournalEvents.all().values().stream().map(Object::getClass).collect(Collectors.toSet());

    assertThat(tested)
        .containsExactlyInAnyOrderElementsOf(
            KINDS.stream()
                .flatMap(kind -> Arrays.stream(kind.getPermittedSubclasses()))
                .collect(Collectors.toSet()));
  }

  @Test
  void isBoundToEveryKindOfEvent() {
    var bindings =
        ConfigFactory.parseResources(JournalConfig.class, "/troupe-journal.conf")
            .getObject("pekko.actor.serialization-bindings")
            .keySet();

    assertThat(bindings)
        .containsExactlyInAnyOrderElementsOf(KINDS.stream().map(Class::getName).toList());
  }

  @Test
  void anEventOfALaterReleaseIsNamedWithItsFormat() {
    assertThatThrownBy(() -> serializer.fromBinary(new byte[0], "app.renamed@3"))
        .isInstanceOf(NotSerializableException.class)
        .hasMessage(
            "the journal holds an event 'app.renamed' of format 3, and this release reads formats"
                + " up to 1: start the release of Troupe that wrote it");
    assertThatThrownBy(() -> serializer.fromBinary(new byte[0], "what"))
        .hasMessageContaining("an event 'what' of format unknown");
  }

  @Test
  void damagedBytesAreNamed() {
    assertThatThrownBy(() -> serializer.fromBinary(new byte[] {10, 99}, "app.created@1"))
        .isInstanceOf(NotSerializableException.class)
        .hasMessageContaining("an event 'app.created@1' whose bytes are damaged");
  }

  @Test
  void whatIsNoEventIsRefused() {
    assertThatThrownBy(() -> serializer.toBinary("text"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no event of the journal: java.lang.String");
  }
}
