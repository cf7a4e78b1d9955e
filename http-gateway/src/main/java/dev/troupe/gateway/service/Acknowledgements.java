package dev.troupe.gateway.service;

import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last word of a map: its caller has all it wanted. No more inputs come, and its outputs may
 * go. Done beside the answer, which the caller waits for; what fails or is lost costs disk, until
 * the results expire by themselves.
 */
final class Acknowledgements {

  private static final Logger LOG = LoggerFactory.getLogger(Acknowledgements.class);

  /** Outputs cleared by one ask. */
  private static final int CLEARED_AT_ONCE = 500;

  private final Entities entities;
  private final Duration askTimeout;

  Acknowledgements(World world) {
    this.entities = world.entities();
    this.askTimeout = world.settings().askTimeout();
  }

  /** Begins to close a call and to clear its outputs. */
  void take(CallId call) {
    close(call)
        .thenCompose(_ -> clear(call, OutputNumber.START))
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                LOG.info("Results of {} are left to expire: {}", call, failure.toString());
              }
            });
  }

  /** Says how many inputs there are, which the caller of a map never does. */
  private CompletionStage<Void> close(CallId call) {
    return entities
        .function(call.function())
        .<CallReply>ask(replyTo -> new Inspect(call, replyTo), askTimeout)
        .thenCompose(
            reply ->
                reply instanceof CallReply.Found(var row, var known, _) && row.total() < 0
                    ? entities
                        .function(call.function())
                        .<SubmitReply>ask(
                            replyTo -> new FinishInputs(call, known, replyTo), askTimeout)
                        .thenAccept(_ -> {})
                    : CompletableFuture.allOf());
  }

  private CompletionStage<Void> clear(CallId call, OutputNumber after) {
    return entities
        .function(call.function())
        .<AwaitReply>ask(
            replyTo ->
                new Await(
                    call, new Wanted.After(after), CLEARED_AT_ONCE, true, Duration.ZERO, replyTo),
            askTimeout)
        .thenCompose(
            reply ->
                reply instanceof AwaitReply.Outputs(var outputs, var last, _)
                        && !outputs.isEmpty()
                        && last.compareTo(after) > 0
                    ? clear(call, last)
                    : CompletableFuture.allOf());
  }
}
