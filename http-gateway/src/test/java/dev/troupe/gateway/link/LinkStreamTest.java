package dev.troupe.gateway.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.gateway.rpc.RpcFailure;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class LinkStreamTest {

  private static final ActorTestKit KIT = ActorTestKit.create();

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @Test
  void anAgentThatListensHearsWhyItsLinkEnds() {
    var running = Source.<String>queue(1).toMat(Sink.ignore(), Keep.both()).run(KIT.system());

    LinkStream.sayLast("The machine has dialled anew.", running.first());

    CompletionStage<Done> heard = running.second();
    assertThatThrownBy(() -> heard.toCompletableFuture().join())
        .hasCauseInstanceOf(RpcFailure.class)
        .hasMessageContaining("The machine has dialled anew.");
  }

  @Test
  void theLastWordToAnAgentThatHasGoneIsNoError() {
    BoundedSourceQueue<String> queue =
        Source.<String>queue(1).toMat(Sink.cancelled(), Keep.left()).run(KIT.system());
    KIT.<String>createTestProbe().awaitAssert(() -> assertThat(queue.isCompleted()).isTrue());

    assertThatCode(() -> LinkStream.sayLast("gone", queue)).doesNotThrowAnyException();
  }
}
