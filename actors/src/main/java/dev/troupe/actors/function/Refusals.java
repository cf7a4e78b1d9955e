package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.Cancel;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.Containers;
import dev.troupe.actors.function.FunctionProtocol.Define;
import dev.troupe.actors.function.FunctionProtocol.Describe;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.FromApp;
import dev.troupe.actors.function.FunctionProtocol.FromCaller;
import dev.troupe.actors.function.FunctionProtocol.FromContainer;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.function.FunctionProtocol.Hello;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseBroken;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.ListContainers;
import dev.troupe.actors.function.FunctionProtocol.Measure;
import dev.troupe.actors.function.FunctionProtocol.Measured;
import dev.troupe.actors.function.FunctionProtocol.Publish;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.Report;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.function.FunctionProtocol.Stop;
import dev.troupe.actors.function.FunctionProtocol.StopContainer;
import dev.troupe.actors.function.FunctionProtocol.Stopped;
import dev.troupe.actors.function.FunctionProtocol.Submit;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.function.FunctionProtocol.Wake;
import dev.troupe.actors.id.FunctionId;
import java.time.Duration;
import java.util.List;

/** What a function answers that can't serve: since it is about to go, or since it never was. */
final class Refusals {

  /** How long a container waits until it repeats a report that could not be taken. */
  static final Duration REPORT_AGAIN = Duration.ofMillis(200);

  private Refusals() {}

  /** Answers while it is about to go: ask again. */
  static void moving(Command command) {
    switch (command) {
      case FromCaller caller -> moving(caller);
      case FromContainer container -> moving(container);
      case FromMachine _, FromApp _, FunctionActor.Internal _ -> {
        // Restated by whoever said it.
      }
    }
  }

  private static void moving(FromCaller command) {
    switch (command) {
      case Submit submit -> submit.replyTo().tell(new SubmitReply.Moved());
      case PutInputs put -> put.replyTo().tell(new SubmitReply.Moved());
      case FinishInputs finish -> finish.replyTo().tell(new SubmitReply.Moved());
      case Cancel cancel -> cancel.replyTo().tell(new SubmitReply.Moved());
      case Await await -> await.replyTo().tell(new AwaitReply.Away());
      case Inspect _ -> {
        // Its asker's patience is short, and it asks again.
      }
    }
  }

  private static void moving(FromContainer command) {
    switch (command) {
      case Lease lease -> lease.replyTo().tell(new LeaseReply.Elsewhere());
      case Report report -> report.replyTo().tell(new ReportReply.Again(REPORT_AGAIN));
      case StartFailed failed -> failed.replyTo().tell(new ReportReply.Again(REPORT_AGAIN));
      case Beat beat -> beat.replyTo().tell(new Beaten(List.of()));
      case Hello _, LeaseBroken _ -> {
        // Nobody waits for an answer.
      }
    }
  }

  /** Answers for a function that was never defined. */
  static void unknown(FunctionId id, Command command) {
    SubmitReply none = new SubmitReply.NoFunction("There is no function " + id + ".");
    switch (command) {
      case Submit submit -> submit.replyTo().tell(none);
      case PutInputs put -> put.replyTo().tell(none);
      case FinishInputs finish -> finish.replyTo().tell(none);
      case Cancel cancel -> cancel.replyTo().tell(none);
      case Await await -> await.replyTo().tell(new AwaitReply.Unknown(await.call()));
      case Inspect inspect -> inspect.replyTo().tell(new CallReply.Missing(inspect.call()));
      case Lease lease -> lease.replyTo().tell(new LeaseReply.Leave("there is no such function"));
      case Report report -> report.replyTo().tell(new ReportReply.Taken());
      case StartFailed failed -> failed.replyTo().tell(new ReportReply.Taken());
      case Beat beat -> beat.replyTo().tell(new Beaten(List.of()));
      case Stop stop -> stop.replyTo().tell(new Stopped(id));
      case ListContainers list -> list.replyTo().tell(new Containers(List.of()));
      case Measure measure -> measure.replyTo().tell(new Measured(0, 0, 0, 0));
      case StopContainer stop -> stop.replyTo().tell(new Containers(List.of()));
      case Hello _,
          LeaseBroken _,
          Wake _,
          Define _,
          Describe _,
          Publish _,
          FromMachine _,
          FunctionActor.Internal _ -> {
        // Nobody waits for an answer, or it was given before.
      }
    }
  }
}
