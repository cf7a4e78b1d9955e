package dev.troupe.cluster;

import java.util.Locale;

/** What a process does. The embedded server is all of them. */
public enum Role {
  /** Holds entities: apps, functions, machines, their decisions. */
  CONTROL,
  /** Answers clients, containers and agents. */
  GATEWAY,
  /** Runs containers on its machine; no member of the cluster when on a machine of its own. */
  AGENT;

  /** The name used in settings and as a Pekko role. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
