package dev.troupe.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PersistenceSettingsTest {

  private static final Config TROUPE = ConfigFactory.load().getConfig("troupe");

  @Test
  void hasTheseDefaults() {
    assertThat(PersistenceSettings.from(TROUPE))
        .isEqualTo(
            new PersistenceSettings(
                "",
                "",
                "",
                "",
                8,
                Duration.ofSeconds(10),
                4,
                64 << 20,
                1 << 20,
                2000,
                Duration.ofMillis(20),
                8,
                Duration.ofMillis(2),
                Duration.ofSeconds(1),
                16 << 20,
                Duration.ofMillis(50),
                Duration.ofSeconds(2),
                32 << 20));
  }

  @Test
  void hasAComponentForEachKey() {
    assertThat(TROUPE.getObject("store").keySet())
        .isEqualTo(
            Arrays.stream(PersistenceSettings.class.getRecordComponents())
                .map(RecordComponent::getName)
                .map(name -> name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT))
                .collect(Collectors.toSet()));
  }

  @Test
  void refusesWhatCanNotWorkByItsKey() {
    Config none = ConfigFactory.parseMap(Map.of("store.read-connections", 0)).withFallback(TROUPE);

    assertThatThrownBy(() -> PersistenceSettings.from(none))
        .hasMessage("troupe.store.read-connections is 0 and must be at least 2");
  }
}
