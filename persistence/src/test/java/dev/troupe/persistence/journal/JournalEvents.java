package dev.troupe.persistence.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.app.AppEvent;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.Deployer;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionEvent;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MountId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.image.ImageEvent;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.actors.imagename.ImageNameEvent;
import dev.troupe.actors.secret.SecretEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One or more events of each kind, by the names of their golden files. */
final class JournalEvents {

  private static final Instant AT = Instant.parse("2026-11-24T12:34:56.789012Z");
  private static final ImageId IMAGE = new ImageId("im-" + Ids.contentKey("image"));
  private static final ImageId BASE = new ImageId("im-" + Ids.contentKey("base"));

  static Map<String, Object> all() {
    Map<String, Object> events = new LinkedHashMap<>();
    apps(events);
    functions(events);
    images(events);
    events.put(
        "image-name.published",
        new ImageNameEvent.ImagePublished("main", "tools:v1", IMAGE, "ir-1", "ak-1", AT));
    events.put("image-name.deleted", new ImageNameEvent.ImageNameDeleted(AT));
    events.put(
        "secret.written",
        new SecretEvent.SecretWritten(
            "main", "my-secret", List.of("B", "A"), new byte[] {0, 1, -1}, AT));
    events.put("secret.deleted", new SecretEvent.SecretDeleted(AT));
    return events;
  }

  private static void apps(Map<String, Object> events) {
    events.put(
        "app.created",
        new AppEvent.AppCreated(
            "main", "hello.py", Phase.EPHEMERAL, Map.of("b", "2", "a", "1", "c", ""), AT, ""));
    events.put(
        "app.created.by",
        new AppEvent.AppCreated("main", "hello.py", Phase.EPHEMERAL, Map.of(), AT, "somebody"));
    events.put(
        "app.object-registered",
        new AppEvent.ObjectRegistered(new AppObject("fu-1", "square", "metadata".getBytes(UTF_8))));
    events.put(
        "app.version-published",
        new AppEvent.VersionPublished(
            3,
            Phase.DEPLOYED,
            "hello",
            Map.of("square", "fu-1", "cube", "fu-2"),
            Map.of("Model", "cs-1"),
            Map.of("fu-1", "de-1", "fu-2", "de-2"),
            "tag",
            Map.of("team", "a"),
            AT,
            new AppEvent.Origin(new Deployer("", "", new byte[0], ""), 0, false)));
    events.put(
        "app.version-published.rollback",
        new AppEvent.VersionPublished(
            4,
            Phase.DEPLOYED,
            "hello",
            Map.of("square", "fu-1"),
            Map.of(),
            Map.of("fu-1", "de-1"),
            "",
            Map.of(),
            AT,
            new AppEvent.Origin(
                new Deployer("somebody", "1.6.4", new byte[] {10, 3, 103, 105, 116}, "request"),
                2,
                true)));
    events.put("app.stop-begun", new AppEvent.StopBegun("the client is gone", AT, ""));
    events.put("app.stop-begun.by", new AppEvent.StopBegun("stopped", AT, "somebody"));
    events.put("app.stopped", new AppEvent.AppStopped(AT));
  }

  private static void functions(Map<String, Object> events) {
    FunctionId base = new FunctionId("fu-" + Ids.contentKey("base"));
    events.put(
        "function.definition-recorded",
        new FunctionEvent.DefinitionRecorded(definition(base, IMAGE, 0), AT));
    events.put(
        "function.definition-recorded.plain",
        new FunctionEvent.DefinitionRecorded(definition(null, null, 0), AT));
    events.put(
        "function.definition-recorded.disk",
        new FunctionEvent.DefinitionRecorded(definition(null, null, 1L << 30), AT));
    events.put(
        "function.version-published", new FunctionEvent.VersionPublished(3, "de-1", false, AT));
    events.put(
        "function.version-published.fresh",
        new FunctionEvent.VersionPublished(4, "de-1", true, AT));
    events.put("function.stopped", new FunctionEvent.FunctionStopped("its app ended", AT));
  }

  private static FunctionDefinition definition(
      @org.jspecify.annotations.Nullable FunctionId base,
      @org.jspecify.annotations.Nullable ImageId image,
      long diskBytes) {
    return new FunctionDefinition(
        new FunctionId("fu-" + Ids.contentKey("function")),
        new AppId("ap-" + Ids.contentKey("app")),
        "hello",
        "main",
        "Model.*",
        "de-1",
        "ab".repeat(32),
        new byte[] {1, 2, 3},
        base,
        base == null ? new byte[0] : new byte[] {4, 5},
        image,
        List.of(new MountId("mo-2"), new MountId("mo-1")),
        List.of(new SecretId("st-2"), new SecretId("st-1")),
        new FunctionDefinition.Resources(
            125,
            4000,
            1L << 33,
            1L << 34,
            diskBytes,
            List.of(
                new FunctionDefinition.Gpu("A100-80GB", 2), new FunctionDefinition.Gpu("any", 1))),
        new FunctionDefinition.Scaling(1, 10, 2, Duration.ofSeconds(60)),
        new FunctionDefinition.Concurrency(4, 8, 16, Duration.ofMillis(250)),
        new FunctionDefinition.Retries(3, Duration.ofSeconds(1), 2.5, Duration.ofMinutes(1)),
        Duration.ofHours(24),
        Duration.ofSeconds(300).plusMillis(5),
        true,
        true,
        "1.6.4",
        "2025.06");
  }

  private static void images(Map<String, Object> events) {
    events.put(
        "image.defined",
        new ImageEvent.ImageDefined(
            new Layer(IMAGE, BASE, "FROM base".getBytes(UTF_8), "2025.06", null, false), AT));
    events.put(
        "image.defined.base",
        new ImageEvent.ImageDefined(
            new Layer(BASE, null, "FROM python".getBytes(UTF_8), "2025.06", null, false), AT));
    events.put(
        "image.defined.function",
        new ImageEvent.ImageDefined(
            new Layer(IMAGE, BASE, new byte[] {1}, "2025.06", new FunctionId("fu-f"), false), AT));
    events.put(
        "image.defined.anew",
        new ImageEvent.ImageDefined(
            new Layer(IMAGE, null, "FROM base".getBytes(UTF_8), "2025.06", null, true), AT));
    events.put("image.renewed", new ImageEvent.ImageRenewed(BASE, AT));
    events.put(
        "image.built",
        new ImageEvent.ImageBuilt(new ImageFacts("3.13.5", "/root", "2.41", "2025.06"), null, AT));
    events.put("image.build-failed", new ImageEvent.BuildFailed("pip ended with 1", null, AT));
    Run run = new Run("im-i-1", AT, AT.plusSeconds(1));
    events.put(
        "image.built.run",
        new ImageEvent.ImageBuilt(new ImageFacts("3.13.5", "/root", "2.41", "2025.06"), run, AT));
    events.put("image.build-failed.run", new ImageEvent.BuildFailed("pip ended with 1", run, AT));
    events.put("image.deleted", new ImageEvent.ImageDeleted(AT));
  }

  private JournalEvents() {}
}
