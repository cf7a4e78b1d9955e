package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.rpc.RpcFailure;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Which functions of an app a reader of its logs wants: all, one, or one with its variants.
 * Variants are made while the app runs, so what is not known yet can be taken in later.
 */
final class FunctionScope {

  private final String base;
  private final boolean variants;
  private volatile Set<String> known = Set.of();
  private volatile Set<String> taken = Set.of();

  private FunctionScope(String base, boolean variants) {
    this.base = base;
    this.variants = variants;
  }

  /**
   * The functions that a request names; NOT_FOUND where the app has no such one.
   *
   * @param function with all its variants; empty for all
   * @param exact this one alone; empty where variants are meant, too
   */
  static FunctionScope of(AppView app, String function, String exact) {
    FunctionScope scope = new FunctionScope(exact.isEmpty() ? function : exact, exact.isEmpty());
    scope.takeIn(app);
    if (!scope.base.isEmpty() && !scope.known.contains(scope.base)) {
      throw RpcFailure.notFound(
          "App '%s' has no function '%.80s'. %s"
              .formatted(app.app(), scope.base, Apps.names(names(app))));
    }
    return scope;
  }

  private static Stream<String> names(AppView app) {
    return app.functions().entrySet().stream()
        .map(function -> "%s (%s)".formatted(function.getKey(), function.getValue()));
  }

  /** Learns of the functions that an app has by now. */
  void takeIn(AppView app) {
    Set<String> all = new HashSet<>(app.functions().values());
    Set<String> wanted = new HashSet<>(Set.of(base));
    for (AppObject object : app.objects()) {
      if (object.id().startsWith(FunctionId.PREFIX)) {
        all.add(object.id());
        if (variants && Handles.parse(object.handleMetadata()).getBaseFunctionId().equals(base)) {
          wanted.add(object.id());
        }
      }
    }
    known = Set.copyOf(all);
    taken = base.isEmpty() ? Set.of() : Set.copyOf(wanted);
  }

  /** Whether it was not there when this was made, and may be a variant that is wanted. */
  boolean isNew(FunctionId function) {
    return variants && !base.isEmpty() && !known.contains(function.value());
  }

  /** Whether a function is one of them. */
  boolean takes(String functionId) {
    Set<String> now = taken;
    return now.isEmpty() || now.contains(functionId);
  }

  /** Their ids; none for all. */
  List<String> ids() {
    return List.copyOf(taken);
  }

  /** Whether a function is the app's. */
  boolean knows(FunctionId function) {
    return known.contains(function.value());
  }
}
