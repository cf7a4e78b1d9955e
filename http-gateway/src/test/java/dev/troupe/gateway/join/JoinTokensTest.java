package dev.troupe.gateway.join;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.cluster.tls.JoinToken;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class JoinTokensTest {

  private static final Instant T0 = Instant.parse("2026-11-01T00:00:00Z");
  private static final Duration HOUR = Duration.ofHours(1);

  private final CertificateAuthority authority = CertificateAuthority.create(T0);
  private final InMemoryDirectory directory = new InMemoryDirectory();
  private Instant now = T0;
  private final JoinTokens tokens = new JoinTokens(directory, () -> now);

  private JoinToken make(int uses) {
    return tokens.make(Purpose.MACHINE, authority, HOUR, uses).toCompletableFuture().join().token();
  }

  private void use(String token, String key) {
    tokens.use(token, Purpose.MACHINE, key).toCompletableFuture().join();
  }

  @Test
  void hasAsManyUsesAsItWasMadeWithAndARepeatIsNone() {
    String token = make(2).text();
    use(token, "a");
    use(token, "a");
    use(token, "b");
    use(token, "b");
    assertThatThrownBy(() -> use(token, "c")).hasStackTraceContaining("used up");
    assertThatCode(() -> use(token, "a")).doesNotThrowAnyException();
  }

  @Test
  void isRefusedOnceItHasExpired() {
    String token = make(1).text();
    now = T0.plus(HOUR);
    assertThatThrownBy(() -> use(token, "a")).hasStackTraceContaining("expired at");
  }

  @Test
  void isRefusedWithAWrongSecretOrOfAnotherKind() {
    JoinToken good = make(1);
    JoinToken guessed = new JoinToken(good.purpose(), good.id(), "0".repeat(32), good.authority());
    assertThatThrownBy(() -> use(guessed.text(), "a")).hasStackTraceContaining("not one of this");
    JoinToken member = new JoinToken(Purpose.MEMBER, good.id(), good.secret(), good.authority());
    assertThatThrownBy(() -> use(member.text(), "a")).hasStackTraceContaining("another kind");
    assertThatThrownBy(
            () -> tokens.use(member.text(), Purpose.MEMBER, "a").toCompletableFuture().join())
        .hasStackTraceContaining("not one of this");
    assertThatThrownBy(() -> use("nonsense", "a"))
        .isInstanceOf(RpcFailure.class)
        .hasMessageContaining("no join token");
  }

  @Test
  void isMadeForAReasonableTimeAndNumber() {
    assertThatThrownBy(() -> make(0)).isInstanceOf(RpcFailure.class);
    assertThatThrownBy(() -> tokens.make(Purpose.MACHINE, authority, Duration.ofDays(31), 1))
        .isInstanceOf(RpcFailure.class);
    assertThat(JoinToken.parse(make(1).text())).isPresent();
  }
}
