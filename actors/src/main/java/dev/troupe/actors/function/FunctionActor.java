package dev.troupe.actors.function;

final class FunctionActor {

  sealed interface Internal extends FunctionProtocol.Command {}

  record Tick() implements Internal {}

  private FunctionActor() {}
}
