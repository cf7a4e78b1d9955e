package dev.troupe.gateway.service;

import dev.troupe.actors.function.FunctionProtocol.Describe;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Keeps containers within their environment: a container that learnt the id of another one's
 * function, or of a call of it, has no use for it. Tokens reach everything.
 */
final class Reach {

  private static final int REMEMBERED = 10_000;

  private final Entities entities;
  private final Duration askTimeout;

  /** Environments of functions, which never change. */
  private final Map<FunctionId, String> environments =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<FunctionId, String> eldest) {
          return size() > REMEMBERED;
        }
      };

  /** Asks these entities. */
  Reach(Entities entities, Duration askTimeout) {
    this.entities = entities;
    this.askTimeout = askTimeout;
  }

  /** Lets a call about a function pass, or fails with a sentence. */
  CompletionStage<FunctionId> require(RpcContext context, FunctionId function) {
    if (!(context.caller() instanceof Caller.Task task) || task.function().equals(function)) {
      return CompletableFuture.completedStage(function);
    }
    String known = known(function);
    if (known != null) {
      context.requireWithin(known);
      return CompletableFuture.completedStage(function);
    }
    return entities
        .function(function)
        .<Description>ask(Describe::new, askTimeout)
        .thenApply(
            description -> {
              String environment = environment(function, description);
              context.requireWithin(environment);
              return function;
            });
  }

  private String environment(FunctionId function, Description description) {
    return switch (description) {
      case Description.Known(var latest, _, _) -> {
        remember(function, latest.environment());
        yield latest.environment();
      }
      case Description.Unknown() ->
          throw RpcFailure.notFound("Function '%s' does not exist.".formatted(function));
    };
  }

  private synchronized @Nullable String known(FunctionId function) {
    return environments.get(function);
  }

  private synchronized void remember(FunctionId function, String environment) {
    environments.put(function, environment);
  }
}
