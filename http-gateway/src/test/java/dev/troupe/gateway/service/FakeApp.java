package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Command;
import dev.troupe.actors.app.AppProtocol.Create;
import dev.troupe.actors.app.AppProtocol.Describe;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.Publish;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.AppProtocol.Register;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.id.AppId;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Apps that do as they are told: no life of their own. */
final class FakeApp {

  private static final Instant MADE = Instant.parse("2026-11-01T12:00:00Z");

  private final Map<String, AppView> apps = new ConcurrentHashMap<>();
  private final Directory directory;

  /** Apps of this harness. */
  static FakeApp in(Harness harness) {
    FakeApp apps = new FakeApp(harness.directory);
    harness.entity(AppProtocol.KEY, apps::hear);
    return apps;
  }

  private FakeApp(Directory directory) {
    this.directory = directory;
  }

  AppView view(AppId app) {
    AppView view = apps.get(app.value());
    if (view == null) {
      throw new IllegalStateException("no app " + app);
    }
    return view;
  }

  private void hear(String id, Command command) {
    switch (command) {
      case Create create -> {
        apps.putIfAbsent(
            id,
            new AppView(
                new AppId(id),
                create.environment(),
                "",
                create.description(),
                create.phase(),
                0,
                MADE,
                null,
                null,
                Map.of(),
                Map.of(),
                List.of(),
                create.tags(),
                0,
                AppProtocol.Credits.NONE));
        create.replyTo().tell(reply(id));
      }
      case Describe(var replyTo) -> replyTo.tell(reply(id));
      case Register(var object, var replyTo) -> {
        apps.computeIfPresent(id, (_, app) -> with(app, object));
        replyTo.tell(reply(id));
      }
      case Publish publish -> publish.replyTo().tell(publish(id, publish));
      default -> throw new IllegalStateException("not expected: " + command);
    }
  }

  private AppReply reply(String id) {
    AppView app = apps.get(id);
    return app == null ? new AppReply.NoApp(new AppId(id)) : new AppReply.Ok(app);
  }

  private PublishReply publish(String id, Publish publish) {
    AppView app = view(new AppId(id));
    boolean changed = !app.functions().equals(publish.functions()) || app.version() == 0;
    Phase wanted = publish.phase();
    AppView published =
        new AppView(
            app.app(),
            app.environment(),
            publish.name(),
            app.description(),
            wanted == null ? app.phase() : wanted,
            app.version() + 1,
            MADE,
            MADE,
            null,
            publish.functions(),
            publish.classes(),
            app.objects(),
            publish.tags(),
            0,
            AppProtocol.Credits.NONE);
    apps.put(id, published);
    directory
        .put(
            new Directory.Entry(
                Directory.Kind.APP, app.environment(), publish.name(), id, MADE, Map.of()))
        .toCompletableFuture()
        .join();
    return new PublishReply.Published(published.version(), MADE, changed);
  }

  private static AppView with(AppView app, AppObject object) {
    Map<String, AppObject> objects = new LinkedHashMap<>();
    app.objects().forEach(known -> objects.put(known.id(), known));
    objects.put(object.id(), object);
    return new AppView(
        app.app(),
        app.environment(),
        app.name(),
        app.description(),
        app.phase(),
        app.version(),
        app.createdAt(),
        app.deployedAt(),
        app.stoppedAt(),
        app.functions(),
        app.classes(),
        List.copyOf(objects.values()),
        app.tags(),
        app.containers(),
        app.credits());
  }
}
