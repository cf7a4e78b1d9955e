package dev.troupe.gateway.service;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Register;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol.Define;
import dev.troupe.actors.function.FunctionProtocol.Defined;
import dev.troupe.actors.function.FunctionProtocol.Describe;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.service.Definitions.Origin;
import dev.troupe.protocol.modal.Function;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.concurrent.CompletionStage;

/**
 * Records definitions: the whole as content, what is acted on with the function, its handle with
 * the app.
 */
final class Definer {

  private final World world;
  private final Apps apps;

  Definer(World world, Apps apps) {
    this.world = world;
    this.apps = apps;
  }

  /** Records a definition; it comes into force when its app publishes it. */
  CompletionStage<FunctionDefinition> define(Origin origin, RankedFunction ranked) {
    return world
        .disk()
        .call(
            () -> {
              byte[] whole = Canonical.bytes(ranked.function());
              String sha256Hex = Canonical.sha256Hex(whole);
              world.blobs().putContent(sha256Hex, new ByteArrayInputStream(whole));
              return Definitions.read(origin, ranked, sha256Hex);
            })
        .thenCompose(
            definition ->
                world
                    .entities()
                    .function(definition.function())
                    .<Defined>ask(
                        replyTo -> new Define(definition, replyTo), world.settings().askTimeout())
                    .thenCompose(_ -> register(definition))
                    .thenApply(_ -> definition));
  }

  private CompletionStage<AppView> register(FunctionDefinition definition) {
    AppObject object =
        new AppObject(
            definition.function().value(), definition.name(), definition.handleMetadata());
    return apps.ask(definition.app(), replyTo -> new Register(object, replyTo));
  }

  /** What a function is; NOT_FOUND where there is none. */
  CompletionStage<Description.Known> require(FunctionId function) {
    return describe(function)
        .thenApply(
            description -> {
              if (description instanceof Description.Known known) {
                return known;
              }
              throw RpcFailure.notFound("Function '%s' does not exist.".formatted(function));
            });
  }

  /** What a function is, if it is. */
  CompletionStage<Description> describe(FunctionId function) {
    return world.entities().function(function).ask(Describe::new, world.settings().askTimeout());
  }

  /**
   * The definition that callers mean: the one in force, before the first publication the latest.
   */
  static FunctionDefinition inForce(Description.Known known) {
    FunctionDefinition published = known.published();
    return published == null ? known.latest() : published;
  }

  /** A definition whole, as the client sent it. */
  CompletionStage<RankedFunction> read(FunctionDefinition definition) {
    return world
        .disk()
        .call(
            () -> {
              try (InputStream whole = world.blobs().open(definition.definitionSha256())) {
                return new RankedFunction(Function.parseFrom(whole), definition.resources().gpus());
              } catch (InvalidProtocolBufferException damaged) {
                throw new IllegalStateException(
                    "The definition of %s is damaged".formatted(definition.function()), damaged);
              }
            });
  }
}
