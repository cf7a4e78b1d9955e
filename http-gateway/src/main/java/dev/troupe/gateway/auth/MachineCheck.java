package dev.troupe.gateway.auth;

import dev.troupe.gateway.rpc.Caller;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Knows machines: a port. */
@FunctionalInterface
public interface MachineCheck {

  /** The machine that was enrolled with this token; empty where there is none. */
  CompletionStage<Optional<Caller.Machine>> checkMachine(String machineId, String token);
}
