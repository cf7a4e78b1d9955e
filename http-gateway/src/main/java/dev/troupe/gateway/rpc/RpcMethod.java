package dev.troupe.gateway.rpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/**
 * One RPC that is served: its name, how its request is read, its handler. Handlers run on the
 * thread of the door that calls, so they never block; whatever they throw comes back as a failed
 * stage or stream.
 */
public sealed interface RpcMethod {

  /** The bare name, as in {@code FunctionMap}. */
  String name();

  /** Answers with one message. */
  @FunctionalInterface
  interface UnaryHandler<Q extends Message, A extends Message> {
    CompletionStage<A> handle(RpcContext context, Q request);
  }

  /** Answers with any number of messages; the stream is cancelled when the caller has gone. */
  @FunctionalInterface
  interface StreamHandler<Q extends Message, A extends Message> {
    Source<A, NotUsed> handle(RpcContext context, Q request);
  }

  /** A call with one answer. */
  record Unary<Q extends Message, A extends Message>(
      String name, Parser<Q> parser, Descriptor answer, UnaryHandler<Q, A> handler)
      implements RpcMethod {

    /** Reads the request and runs the handler. */
    public CompletionStage<? extends Message> call(RpcContext context, CodedInputStream request) {
      try {
        return handler
            .handle(context, parse(name, parser, request))
            .thenApply(message -> checked(name, answer, message));
      } catch (RuntimeException failure) {
        return CompletableFuture.failedFuture(failure);
      }
    }
  }

  /** A call answered by a stream. */
  record Streaming<Q extends Message, A extends Message>(
      String name, Parser<Q> parser, Descriptor answer, StreamHandler<Q, A> handler)
      implements RpcMethod {

    /** Reads the request and makes the stream of answers. */
    public Source<? extends Message, NotUsed> call(RpcContext context, CodedInputStream request) {
      try {
        return handler
            .handle(context, parse(name, parser, request))
            .map(message -> checked(name, answer, message));
      } catch (RuntimeException failure) {
        return Source.failed(failure);
      }
    }
  }

  private static <A extends Message> A checked(String name, Descriptor answer, A message) {
    if (message.getDescriptorForType() != answer) {
      throw new IllegalStateException(
          "%s answers with %s, its handler gave %s"
              .formatted(name, answer.getFullName(), message.getDescriptorForType().getFullName()));
    }
    return message;
  }

  private static <Q> Q parse(String name, Parser<Q> parser, CodedInputStream request) {
    try {
      return parser.parseFrom(request);
    } catch (InvalidProtocolBufferException malformed) {
      throw RpcFailure.invalid(
          "The request of %s is malformed: %s".formatted(name, malformed.getMessage()));
    }
  }
}
