package dev.troupe.gateway.service;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.Define;
import dev.troupe.actors.function.FunctionProtocol.Defined;
import dev.troupe.actors.function.FunctionProtocol.Describe;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.function.FunctionProtocol.Publish;
import dev.troupe.actors.function.FunctionProtocol.Published;
import dev.troupe.actors.id.FunctionId;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/** Functions that remember what they are. */
final class FakeFunction {

  private final Map<String, FunctionDefinition> latest = new ConcurrentHashMap<>();
  private final Map<String, FunctionDefinition> published = new ConcurrentHashMap<>();

  /** Functions of this harness. */
  static FakeFunction in(Harness harness) {
    FakeFunction functions = new FakeFunction();
    harness.entity(FunctionProtocol.KEY, functions::hear);
    return functions;
  }

  FunctionDefinition latest(String id) {
    return Objects.requireNonNull(latest.get(id));
  }

  boolean isPublished(String id) {
    return published.containsKey(id);
  }

  private void hear(String id, Command command) {
    switch (command) {
      case Define(var definition, var replyTo) -> {
        latest.put(id, definition);
        replyTo.tell(new Defined(definition.definitionId()));
      }
      case Describe(var replyTo) -> {
        FunctionDefinition known = latest.get(id);
        replyTo.tell(
            known == null
                ? new Description.Unknown()
                : new Description.Known(known, published.get(id), false));
      }
      case Publish(_, _, _, var replyTo) -> {
        published.put(id, latest(id));
        replyTo.tell(new Published(new FunctionId(id)));
      }
      default -> throw new IllegalStateException("not expected: " + command);
    }
  }
}
