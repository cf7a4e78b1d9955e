package dev.troupe.gateway.auth;

import dev.troupe.actors.id.MachineId;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/** Knows machines: a port. */
@FunctionalInterface
public interface MachineCheck {

  /**
   * The machine that sends this request; fails with UNAUTHENTICATED and a sentence where it is none
   * of this server's.
   */
  CompletionStage<MachineId> machineOf(HttpRequest request);
}
