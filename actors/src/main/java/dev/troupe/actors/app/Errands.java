package dev.troupe.actors.app;

import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.id.FunctionId;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.RecipientRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * What an app wants of its functions: each wish is restated until the function has confirmed it.
 * Used on the app's thread alone; confirmations come back through its mailbox.
 */
final class Errands {

  // Restated far more often: this only bounds how late an answer may be and still be of use.
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

  private final ActorContext<AppProtocol.Command> context;
  private final Function<FunctionId, RecipientRef<FunctionProtocol.Command>> functions;
  private final ActorRef<FunctionProtocol.Stopped> stopped;
  private final Set<FunctionId> toPublish = new HashSet<>();
  private final Set<FunctionId> toStop = new HashSet<>();
  private int version;
  private int asOf;
  private boolean fresh;
  private String stopReason = "";

  Errands(
      ActorContext<AppProtocol.Command> context,
      Function<FunctionId, RecipientRef<FunctionProtocol.Command>> functions) {
    this.context = context;
    this.functions = functions;
    this.stopped =
        context.messageAdapter(
            FunctionProtocol.Stopped.class, reply -> new AppActor.Stopped(reply.function()));
  }

  /** Wants the functions of an app to take up its live version. */
  void publish(App app) {
    Set<FunctionId> live = app.published();
    version = app.version();
    asOf = app.asOf();
    fresh = app.fresh();
    toPublish.clear();
    toPublish.addAll(live);
    toStop.removeAll(live);
    toPublish.forEach(this::tellPublish);
  }

  /** Wants these to stop; what was to be published of them is not any more. */
  void stop(Set<FunctionId> ended, String reason) {
    stopReason = reason;
    toPublish.removeAll(ended);
    toStop.addAll(ended);
    toStop.forEach(this::tellStop);
  }

  /** Says again what was not confirmed. */
  void restate() {
    toPublish.forEach(this::tellPublish);
    toStop.forEach(this::tellStop);
  }

  /** A function took up a version; an earlier one is of no interest any more. */
  void published(FunctionId function, int confirmedVersion) {
    if (confirmedVersion == version) {
      toPublish.remove(function);
    }
  }

  /** A function stopped. */
  void stopped(FunctionId function) {
    toStop.remove(function);
  }

  /** Whether the last version is taken up by all it consists of. */
  boolean isPublished() {
    return toPublish.isEmpty();
  }

  /** Whether all that were to stop have stopped. */
  boolean isStopped() {
    return toStop.isEmpty();
  }

  private void tellPublish(FunctionId function) {
    int asked = version;
    context.ask(
        FunctionProtocol.Published.class,
        functions.apply(function),
        ANSWER_LIMIT,
        replyTo -> new FunctionProtocol.Publish(asked, asOf, fresh, replyTo),
        (reply, failure) ->
            failure == null
                ? new AppActor.TakenUp(function, asked)
                : new AppActor.NotConfirmed(function));
  }

  private void tellStop(FunctionId function) {
    functions.apply(function).tell(new FunctionProtocol.Stop(stopReason, stopped));
  }
}
