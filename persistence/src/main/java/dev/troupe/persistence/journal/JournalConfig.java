package dev.troupe.persistence.journal;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.troupe.persistence.store.Database.Address;
import java.util.HashMap;
import java.util.Map;

/** Where Pekko finds its journal and snapshots, and how it writes events. */
public final class JournalConfig {

  private static final String DATABASE = "pekko-persistence-jdbc.shared-databases.slick.";

  /** The configuration for a journal at this address, with so many connections at most. */
  public static Config of(Address address, int connections) {
    Map<String, Object> values = new HashMap<>();
    values.put(DATABASE + "db.numThreads", connections);
    values.put(DATABASE + "db.maxConnections", connections);
    if (address.writesBehind()) {
      values.put(DATABASE + "profile", "slick.jdbc.H2Profile$");
      values.put(DATABASE + "db.dataSourceClass", DurableH2DataSource.class.getName());
      values.put(DATABASE + "db.properties.url", address.url());
      values.put(DATABASE + "db.properties.user", address.user());
      values.put(DATABASE + "db.properties.password", address.password());
    } else {
      values.put(DATABASE + "profile", "slick.jdbc.PostgresProfile$");
      values.put(DATABASE + "db.url", address.url());
      values.put(DATABASE + "db.user", address.user());
      values.put(DATABASE + "db.password", address.password());
      values.put(DATABASE + "db.driver", "org.postgresql.Driver");
      for (String name : address.properties().stringPropertyNames()) {
        values.put(DATABASE + "db.properties." + name, address.properties().getProperty(name));
      }
    }
    return ConfigFactory.parseMap(values, "journal")
        .withFallback(ConfigFactory.parseResources(JournalConfig.class, "/troupe-journal.conf"));
  }

  private JournalConfig() {}
}
