package dev.troupe.actors.testing;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;

/** Settings of actor systems in tests: every message is serialized, the journal is in memory. */
public final class TestCluster {

  private static final String COMMON =
      """
      pekko.loglevel = WARNING
      pekko.actor.serialize-messages = on
      pekko.persistence.journal.plugin = "pekko.persistence.testkit.journal"
      pekko.persistence.testkit.journal.class =
        "org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin"
      pekko.persistence.testkit.events.serialize = on
      pekko.jvm-exit-on-fatal-error = off
      pekko.actor.testkit.typed.single-expect-default = 20s
      """;

  /** For single actors: no cluster, so that time may be driven by hand. */
  public static Config alone() {
    return parse(COMMON + "pekko.actor.provider = local\n");
  }

  /** For one node with sharding, which is up as soon as it has joined itself. */
  public static Config oneNode() {
    return parse(
        COMMON
            + """
            pekko.actor.provider = cluster
            pekko.remote.artery.canonical { hostname = "127.0.0.1", port = 0 }
            pekko.cluster.roles = ["control", "gateway", "agent"]
            pekko.cluster.sharding.number-of-shards = 8
            pekko.coordinated-shutdown.exit-jvm = off
            """);
  }

  private static Config parse(String text) {
    return ConfigFactory.parseString(text).withFallback(ConfigFactory.load());
  }

  private TestCluster() {}
}
