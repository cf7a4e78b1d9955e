package dev.troupe.actors.app;

import dev.troupe.actors.app.AppProtocol.Attribute;
import dev.troupe.actors.app.AppProtocol.Command;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.directory.Listing;
import dev.troupe.actors.id.AppId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * How an app stands in the directory: an entry for listings and names, and, while it can end by
 * itself, one that has its entity woken. The second is there whenever the first says so, whatever
 * crashes in between. The first is written after what it says has been carried out, so it also
 * tells an entity that starts what is still to do.
 */
final class AppListing {

  /** How much of it is to be written; each takes in those before it. */
  enum Scope {
    /** What listings show. */
    ATTRIBUTES,
    /** Also, whether the entity must be awake. */
    PHASE,
    /** Also, the name, which another app may have had. */
    NAME
  }

  private final Directory directory;
  private final AppId id;
  private final Listing<Command> listing;
  private Scope due = Scope.ATTRIBUTES;

  AppListing(ActorContext<Command> context, Directory directory, AppId id) {
    this.directory = directory;
    this.id = id;
    this.listing = new Listing<>(context, AppActor.Listed::new);
  }

  /** Writes {@code scope} of it, and what is due from before. */
  void write(Scope scope, App app, int containers) {
    due = due.compareTo(scope) < 0 ? scope : due;
    Scope whole = due;
    listing.wish(() -> write(app, attributes(app, containers), whole));
  }

  /** Runs {@code then} once all of it is written. */
  void whenSettled(Runnable then) {
    listing.whenSettled(then);
  }

  /** Whether all of it is written. */
  boolean isSettled() {
    return listing.isSettled();
  }

  /** Goes on after a word of the directory. */
  void take(Listing.Word word) {
    listing.take(word);
    if (listing.isSettled()) {
      due = Scope.ATTRIBUTES;
    }
  }

  /** The entry as it is. */
  CompletionStage<Optional<Entry>> read() {
    return directory.byId(Kind.APP, id.value());
  }

  /** Whether an entry says that all of {@code app} has been carried out. */
  static boolean isUpToDate(Entry entry, App app) {
    return version(app).equals(entry.attributes().get(Attribute.VERSION))
        && app.phase().name().equals(entry.attributes().get(Attribute.PHASE));
  }

  private CompletionStage<Void> write(App app, Map<String, String> attributes, Scope scope) {
    return switch (scope) {
      case ATTRIBUTES -> directory.update(Kind.APP, id.value(), attributes);
      case PHASE -> awake(app, () -> directory.update(Kind.APP, id.value(), attributes));
      case NAME -> awake(app, () -> directory.put(entry(Kind.APP, app.name(), app, attributes)));
    };
  }

  private CompletionStage<Void> awake(App app, Supplier<CompletionStage<Void>> write) {
    return app.isLive()
        ? directory.put(entry(Kind.LIVE_APP, "", app, Map.of())).thenCompose(_ -> write.get())
        : write.get().thenCompose(_ -> directory.remove(Kind.LIVE_APP, id.value()));
  }

  private Entry entry(Kind kind, String name, App app, Map<String, String> attributes) {
    return new Entry(kind, app.environment(), name, id.value(), app.createdAt(), attributes);
  }

  private static Map<String, String> attributes(App app, int containers) {
    Map<String, String> attributes = new HashMap<>();
    attributes.put(Attribute.PHASE, app.phase().name());
    attributes.put(Attribute.DESCRIPTION, app.description());
    attributes.put(Attribute.VERSION, version(app));
    attributes.put(Attribute.CONTAINERS, Integer.toString(containers));
    putUnlessEmpty(attributes, Attribute.CREATED_BY, app.credits().createdBy());
    putUnlessEmpty(attributes, Attribute.DEPLOYED_BY, app.credits().deployedBy());
    putUnlessEmpty(attributes, Attribute.STOPPED_BY, app.credits().stoppedBy());
    if (app.deployedAt() != null) {
      attributes.put(Attribute.DEPLOYED_AT, app.deployedAt().toString());
    }
    if (app.stoppedAt() != null) {
      attributes.put(Attribute.STOPPED_AT, app.stoppedAt().toString());
    }
    return Map.copyOf(attributes);
  }

  private static void putUnlessEmpty(Map<String, String> attributes, String key, String value) {
    if (!value.isEmpty()) {
      attributes.put(key, value);
    }
  }

  private static String version(App app) {
    return Integer.toString(app.version());
  }
}
