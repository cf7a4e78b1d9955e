package dev.troupe.gateway.grpc;

import dev.troupe.gateway.grpc.Admission.Reservation;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.FutureConverters;

/**
 * What became of a stage's wish for room: a reservation, or why there is none.
 *
 * @param reservation null where it was refused
 * @param refusal null where it was given
 */
record Admitted(@Nullable Reservation reservation, @Nullable Throwable refusal) {

  /** Asks for room on behalf of a stage, which hears of it by {@code heard}. */
  static void ask(Admission admission, long messageBytes, AsyncCallback<Admitted> heard) {
    admission
        .reserve(messageBytes)
        .whenComplete(
            (given, refusal) ->
                FutureConverters.asJava(heard.invokeWithFeedback(new Admitted(given, refusal)))
                    .whenComplete((done, stopped) -> giveBack(given, stopped)));
  }

  /** The stage has stopped, since the sender has gone: nobody else will give the room back. */
  private static void giveBack(@Nullable Reservation given, @Nullable Throwable stopped) {
    if (stopped != null && given != null) {
      given.close();
    }
  }
}
