package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ServicesTest {

  /** The table itself refuses to be built where a declared RPC has no handler. */
  @Test
  void serveEveryRpcThatIsDeclared() {
    try (Harness harness = new Harness()) {
      assertThat(harness.table().names())
          .contains("FunctionMap", "FunctionGetInputs", "AppGetLogs", "AuthTokenGet")
          .hasSizeGreaterThan(50);
    }
  }

  @Test
  void haveSettingsForAll() {
    ServiceSettings settings = ServiceSettings.from(ConfigFactory.load().getConfig("troupe"));

    assertThat(settings)
        .isEqualTo(
            new ServiceSettings(
                "troupe",
                "main",
                "2025.06",
                64 << 10,
                448 << 10,
                64L << 30,
                Duration.ofSeconds(5),
                Duration.ofSeconds(5)));
    assertThat(ConfigFactory.load().getConfig("troupe.services").root().keySet())
        .hasSize(ServiceSettings.class.getRecordComponents().length);
  }
}
