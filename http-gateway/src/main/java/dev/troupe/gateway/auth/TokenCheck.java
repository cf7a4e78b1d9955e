package dev.troupe.gateway.auth;

import dev.troupe.gateway.rpc.Caller;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Knows tokens: a port. */
@FunctionalInterface
public interface TokenCheck {

  /** The caller whose token this is; empty where there is no such token or the secret is wrong. */
  CompletionStage<Optional<Caller.Token>> check(String tokenId, String secret);
}
