package dev.troupe.actors.image;

import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.cluster.ClusterMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;

/**
 * The conversation with one image. The entity id is the {@link ImageId}, made from the definition,
 * so that equal definitions are one image, built once. A build that is to use nothing kept is an
 * image of its own, which stands for the definition from then on: what was made with the earlier
 * one, or published of it, stays as it was.
 */
public interface ImageProtocol {

  EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "image");

  /** Anything said to an image. */
  sealed interface Command extends ClusterMessage
      permits Ensure,
          Renew,
          Describe,
          Join,
          GetChain,
          GetRun,
          Delete,
          BuildNews,
          ImageActor.Internal {}

  /**
   * One layer: its definition as the client sent it, and the image it stands on.
   *
   * @param buildFunction the function that makes it; null where build steps do
   * @param anew its build uses no layer that was kept for another image
   */
  record Layer(
      ImageId image,
      @Nullable ImageId base,
      byte[] definition,
      String builderVersion,
      @Nullable FunctionId buildFunction,
      boolean anew)
      implements ClusterMessage {}

  /** Makes the image known and begins its build, unless it is built or being built. */
  record Ensure(Layer layer, ActorRef<Ensured> replyTo) implements Command {}

  /**
   * Has another image, {@code by}, stand for the definition that this one was made from. Where one
   * does already, that is answered, and nothing changes unless it is {@code over}.
   */
  record Renew(ImageId by, @Nullable ImageId over, ActorRef<RenewedBy> replyTo)
      implements Command {}

  /** Answer to {@link Ensure}. */
  sealed interface Ensured extends ClusterMessage {}

  /** Another image stands for the definition; this one was not touched. */
  record RenewedBy(ImageId image) implements Ensured {}

  /** Asks how it stands. */
  record Describe(ActorRef<ImageReply> replyTo) implements Command {}

  /** Answer to {@link Describe}, and to {@link Ensure} where no other image stands for it. */
  sealed interface ImageReply extends Ensured {

    /** Built. */
    record Built(ImageFacts facts) implements ImageReply {}

    /** Being built: {@link Join} tells how it goes. */
    record Building() implements ImageReply {}

    /** The last build failed. */
    record Failed(String why) implements ImageReply {}

    /** Never made known. */
    record Unknown() implements ImageReply {}
  }

  /** What was found out about a built image. */
  record ImageFacts(String pythonVersion, String workdir, String libcVersion, String builderVersion)
      implements ClusterMessage {}

  /** Waits for build log lines behind number {@code after}, or the end, or {@code patience}. */
  record Join(long after, Duration patience, ActorRef<Progress> replyTo) implements Command {}

  /** Lines of the build so far, and the end where it has come. */
  record Progress(List<Line> lines, long last, @Nullable ImageReply end)
      implements ClusterMessage {}

  /**
   * A line of the build log; {@code stream} is 1 stdout, 2 stderr, 3 the platform. The text has its
   * end of line where it has one.
   */
  record Line(long number, Instant at, int stream, String text) implements ClusterMessage {}

  /** Asks for the layers from the base up to this image. */
  record GetChain(ActorRef<Chain> replyTo) implements Command {}

  /** Layers from the base up; empty where the image is unknown. */
  record Chain(List<Layer> layers) implements ClusterMessage {}

  /** Asks for its last build, or the one under way. */
  record GetRun(ActorRef<LastRun> replyTo) implements Command {}

  /** Answer to {@link GetRun}: null where no machine has built it that is remembered. */
  record LastRun(@Nullable Run run) implements ClusterMessage {}

  /**
   * A build on a machine: its lines are kept there, from {@code since} on and before {@code until}.
   *
   * @param build tells it from all others
   */
  record Run(String build, Instant since, Instant until) implements ClusterMessage {

    /** As whose lines those of a build are kept. */
    public static TaskId task(String build) {
      return Ids.task(Ids.sha256().digest(build.getBytes(StandardCharsets.UTF_8)));
    }
  }

  /**
   * Deletes it: nothing new can be made with it. Functions that were made with it go on, and an
   * equal definition makes it known anew.
   */
  record Delete(ActorRef<Deletion> replyTo) implements Command {}

  /** Answer to {@link Delete}. */
  enum Deletion implements ClusterMessage {
    /** It is deleted. */
    DELETED,
    /** It is being built, and so not deleted. */
    BUILDING,
    /** It was never made known. */
    UNKNOWN
  }

  /**
   * The building machine reports lines, and at last the end: one of {@code built} and {@code
   * failure}. Numbers of lines grow within a build; repeated lines are passed over.
   */
  record BuildNews(
      String build, List<Line> lines, @Nullable ImageFacts built, @Nullable String failure)
      implements Command {}
}
