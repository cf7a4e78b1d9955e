package dev.troupe.node.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.node.linux.Posix;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipesTest {

  private final Path pipe;
  private final BlockingQueue<String> got = new LinkedBlockingQueue<>();
  private volatile String owner = "first";

  PipesTest(@TempDir Path directory) throws IOException {
    pipe = directory.resolve("pipe");
    Posix.makeFifo(pipe.toString());
  }

  private Consumer<List<String>> of(String whose) {
    return lines -> lines.forEach(line -> got.add(whose + ": " + line.strip()));
  }

  @Test
  void whatIsInThePipeAtAMarkIsOfTheOneBefore() throws Exception {
    try (Pipes pipes = new Pipes()) {
      Pipes.Reading reading = pipes.readPaced(pipe, () -> of(owner));
      // Held back, so that nothing is read before all is written.
      reading.hold();
      try (OutputStream writer = Files.newOutputStream(pipe)) {
        write(writer, "one\n");
        reading.mark(of("first"));
        owner = "second";
        write(writer, "two\nthree\n");
        reading.mark(of("second"));
        owner = "third";
        write(writer, "four\n");
        reading.resume();

        assertThat(next()).isEqualTo("first: one");
        assertThat(next()).isEqualTo("second: two");
        assertThat(next()).isEqualTo("second: three");
        assertThat(next()).isEqualTo("third: four");
        reading.mark(of("third"));
        owner = "fourth";
        write(writer, "five\n");
        assertThat(next()).isEqualTo("fourth: five");
      }
      reading.finish();
    }
  }

  @Test
  void theBeginningOfALineIsGivenOutToWhoWroteIt() throws Exception {
    try (Pipes pipes = new Pipes()) {
      Pipes.Reading reading = pipes.readPaced(pipe, () -> of(owner));
      try (OutputStream writer = Files.newOutputStream(pipe)) {
        write(writer, "a prompt");
        assertThat(next()).isEqualTo("first: a prompt");
      }
      reading.finish();
    }
  }

  @Test
  void aLineIsNotTornWhileItsPipeIsHeldBack() throws Exception {
    try (Pipes pipes = new Pipes()) {
      Pipes.Reading[] reading = new Pipes.Reading[1];
      Consumer<List<String>> holding =
          lines -> {
            reading[0].hold();
            of(owner).accept(lines);
          };
      reading[0] = pipes.readPaced(pipe, () -> holding);
      try (OutputStream writer = Files.newOutputStream(pipe)) {
        write(writer, "one\nbegin");
        assertThat(next()).isEqualTo("first: one");
        // Longer than the beginning of a line is kept back where its pipe is read.
        Thread.sleep(200);
        write(writer, "ning\n");
        assertThat(got).isEmpty();
        reading[0].resume();
        assertThat(next()).isEqualTo("first: beginning");
      }
      reading[0].finish();
    }
  }

  private static void write(OutputStream to, String text) throws IOException {
    to.write(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    to.flush();
  }

  private String next() throws InterruptedException {
    return String.valueOf(got.poll(10, TimeUnit.SECONDS));
  }
}
