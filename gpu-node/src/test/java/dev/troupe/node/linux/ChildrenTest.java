package dev.troupe.node.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ChildrenTest {

  /** Starts a script in the background of a program that ends at once. */
  private static int orphan(String script) throws Exception {
    String started =
        Command.run(
            Duration.ofSeconds(10), "sh", "-c", "(" + script + ") >/dev/null 2>&1 & echo $!");
    return Integer.parseInt(started.strip());
  }

  @Test
  void theEndOfAnAdoptedProcessIsThatOfAChild() throws Exception {
    Children children = Children.adopt();

    assertThat(children.end(orphan("sleep 0.1; exit 7")).get()).isEqualTo(7);
    assertThat(children.end(orphan("sleep 0.1; kill -9 $(sh -c 'echo $PPID')")).get())
        .isEqualTo(137);
  }

  @Test
  void whoIsNoChildHasNoEnd() throws Exception {
    assertThat(Children.adopt().end(1)).failsWithin(Duration.ofSeconds(10));
  }

  @Test
  void aDeadChildThatNobodyAwaitsIsReapedTheSecondTimeItIsSeen() throws Exception {
    Children.adopt();
    ProcessHandle stranger = ProcessHandle.of(orphan("sleep 0.2")).orElseThrow();

    while (!Children.reap(Set.of()).contains(stranger)) {
      Thread.onSpinWait();
    }
    assertThat(Children.reap(Set.of(stranger))).contains(stranger);

    assertThat(Children.reap(Set.of())).doesNotContain(stranger);
  }
}
