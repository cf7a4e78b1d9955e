package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.G;
import static dev.troupe.persistence.calllog.Rows.T0;
import static dev.troupe.persistence.calllog.Rows.blob;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.mark;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.newInput;
import static dev.troupe.persistence.calllog.Rows.output;
import static dev.troupe.persistence.calllog.Rows.waiting;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.ChangeCodec.Part;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ChangeCodecTest {

  private static final Path GOLDEN = Path.of("src", "test", "golden", "calllog", "1.hex");

  private static final CallId CALL = call(F, "c");
  private static final InputId INPUT = InputId.of(CALL, 3);

  static List<LogWrite> changes() {
    Payload whole = new Payload("bytes".getBytes(UTF_8), null, blob("attached"));
    InputRow leased =
        new InputRow(
            InputId.of(CALL, 1),
            1L << 40,
            "method",
            Payload.stored(blob("stored"), null),
            2,
            1,
            mark(5),
            T0);
    OutputRow ended =
        new OutputRow(INPUT, new OutputNumber(3, 1), 4, null, "it timed out", 0, "", null, T0, T0);
    return List.of(
        newCall(CALL, -1),
        new LogWrite.NewInput(waiting(CALL, 0, 1, whole)),
        new LogWrite.NewInput(waiting(CALL, 2, 2, Payload.of(new byte[0], null))),
        new LogWrite.NewInput(leased),
        new LogWrite.Total(CALL, 4),
        new LogWrite.Cancelled(CALL),
        new LogWrite.Leased(INPUT, mark(1L << 36)),
        new LogWrite.Spent(INPUT, 1, 2),
        new LogWrite.Finished(output(CALL, 0, 1, whole, T0.plus(Duration.ofNanos(1000)))),
        new LogWrite.Finished(ended),
        new LogWrite.Cleared(List.of(INPUT, InputId.of(CALL, 0)), T0));
  }

  @ParameterizedTest
  @MethodSource("changes")
  void isReadAsItWasWritten(LogWrite change) {
    assertThat(decoded(ChangeCodec.encode(F, List.of(change))))
        .usingRecursiveFieldByFieldElementComparator()
        .containsExactly(change);
  }

  @Test
  void partsAreInOrderAndJoin() {
    List<LogWrite> many = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Payload payload = Payload.of(new byte[50_000], null);
      many.add(new LogWrite.NewInput(waiting(CALL, i, i, payload)));
    }

    List<Part> parts = ChangeCodec.encode(F, many);

    assertThat(parts).hasSizeGreaterThan(3);
    assertThat(parts).allMatch(part -> part.bytes().length <= 200_000 + 100);
    assertThat(parts.stream().flatMap(part -> part.changes().stream())).isEqualTo(many);
    assertThat(decoded(parts)).usingRecursiveFieldByFieldElementComparator().isEqualTo(many);
  }

  /** What the first release wrote, which every later one must read. */
  @Test
  void bytesOfTheFirstReleaseAreRead() throws IOException {
    String written = HexFormat.of().formatHex(ChangeCodec.encode(F, changes()).getFirst().bytes());

    assertThat(GOLDEN).hasContent(written);
    assertThat(ChangeCodec.decode(F, HexFormat.of().parseHex(written)))
        .usingRecursiveFieldByFieldElementComparator()
        .isEqualTo(changes());
  }

  @Test
  void refusesWhatNoRowTakes() {
    assertThatThrownBy(() -> ChangeCodec.encode(F, List.of(newInput(call(G, "c"), 0, 1))))
        .hasMessageContaining("does not belong to function " + F);
    assertThatThrownBy(() -> ChangeCodec.encode(F, List.of(said("x".repeat(100_001)))))
        .hasMessage("a message of 100001 characters, 100000 at most and none of them NUL");
    assertThatThrownBy(() -> ChangeCodec.encode(F, List.of(said("a\0b"))))
        .hasMessageContaining("none of them NUL");
    OutputRow row = output(CALL, 0, 1L << 36);
    assertThatThrownBy(() -> ChangeCodec.encode(F, List.of(new LogWrite.Finished(row))))
        .hasMessageContaining("output number out of range");
  }

  @Test
  void refusesWhatALaterReleaseWrote() {
    byte[] unknown = {0x0a, 0x02, (byte) 0xfa, 0x01};
    assertThatThrownBy(() -> ChangeCodec.decode(F, unknown))
        .isInstanceOf(IllegalStateException.class);
  }

  private static LogWrite said(String message) {
    return new LogWrite.Finished(
        new OutputRow(INPUT, new OutputNumber(1, 1), 4, null, message, 0, "", null, T0, null));
  }

  private static List<LogWrite> decoded(List<Part> parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    parts.forEach(part -> all.writeBytes(part.bytes()));
    return ChangeCodec.decode(F, all.toByteArray());
  }
}
