package dev.troupe.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IpForwardingTest {

  private Path shared = Path.of("");
  private Path control = Path.of("");

  @BeforeEach
  void switchedOff(@TempDir Path folder) throws IOException {
    shared = folder.resolve("shared");
    control = Files.writeString(folder.resolve("ip_forward"), "0\n");
  }

  private IpForwarding server(String name) {
    return new IpForwarding(shared, control, name);
  }

  private String value() throws IOException {
    return Files.readString(control).strip();
  }

  @Test
  void isOnWhileAContainerNeedsItAndThenAsItWas() throws IOException {
    IpForwarding forwarding = server("one");
    forwarding.acquire();
    forwarding.acquire();
    forwarding.release();
    assertThat(value()).isEqualTo("1");

    forwarding.release();

    assertThat(value()).isEqualTo("0");
  }

  @Test
  void oneServersEndLeavesItOnForTheOther() throws IOException {
    IpForwarding one = server("one");
    IpForwarding two = server("two");
    one.acquire();
    two.acquire();

    one.release();
    assertThat(value()).isEqualTo("1");
    two.release();
    assertThat(value()).isEqualTo("0");
  }

  @Test
  void aSweepTakesBackWhatADeadServerNeeded() throws IOException {
    // What a killed server leaves: the old value, and its file, locked by nobody any more.
    Files.createDirectories(shared);
    Files.writeString(shared.resolve("before"), "0\n");
    Files.writeString(shared.resolve("needed-by-dead"), "");
    Files.writeString(control, "1");

    server("next").sweep();

    assertThat(value()).isEqualTo("0");
    assertThat(shared.resolve("needed-by-dead")).doesNotExist();
  }

  @Test
  void whatWasOnStaysOn() throws IOException {
    Files.writeString(control, "1\n");
    IpForwarding forwarding = server("one");
    forwarding.acquire();
    forwarding.release();

    assertThat(value()).isEqualTo("1");
  }
}
