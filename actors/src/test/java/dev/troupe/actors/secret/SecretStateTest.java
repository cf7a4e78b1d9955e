package dev.troupe.actors.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretEvent.SecretWritten;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.actors.secret.SecretProtocol.SecretReply.NoSecret;
import dev.troupe.actors.secret.SecretProtocol.SecretReply.Secret;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class SecretStateTest {

  private static final SecretId ID = new SecretId("st-0000000000000000000001");
  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final Instant T1 = T0.plusSeconds(60);

  @Test
  void anUnwrittenSecretIsNoSecret() {
    assertThat(new SecretState.Absent("").view(ID)).isEqualTo(new NoSecret(ID, ""));
  }

  @Test
  void whatIsWrittenIsAnsweredWhole() {
    Secret secret = (Secret) written("one", T0).view(ID);

    assertThat(secret.name()).isEqualTo("one");
    assertThat(secret.keys()).containsExactly("KEY");
    assertThat(secret.sealedValues()).containsExactly(7);
    assertThat(secret.createdAt()).isEqualTo(T0);
  }

  @Test
  void aSecondWriteKeepsTheTimeOfTheFirst() {
    SecretState first = written("one", T0);
    Decision<SecretEvent, SecretReply> second = first.write(ID, write("one", T1));

    Secret answer = (Secret) second.reply();
    assertThat(answer.createdAt()).isEqualTo(T0);
    assertThat(answer.updatedAt()).isEqualTo(T1);
  }

  @Test
  void aDeletedSecretIsGoneAndMayBeWrittenAnew() {
    SecretState gone = apply(written("one", T0), written("one", T0).delete(ID, T1));

    assertThat(gone.view(ID)).isEqualTo(new NoSecret(ID, "one"));
    Secret again = (Secret) apply(gone, gone.write(ID, write("one", T1))).view(ID);
    assertThat(again.createdAt()).isEqualTo(T1);
  }

  @Test
  void deletingWhatIsNotThereRecordsNothing() {
    assertThat(new SecretState.Absent("").delete(ID, T0).events()).isEmpty();
  }

  private static SecretState written(String name, Instant at) {
    SecretState absent = new SecretState.Absent("");
    return apply(absent, absent.write(ID, write(name, at)));
  }

  private static SecretWritten write(String name, Instant at) {
    return new SecretWritten("main", name, List.of("KEY"), new byte[] {7}, at);
  }

  private static SecretState apply(SecretState state, Decision<SecretEvent, SecretReply> decision) {
    return decision.events().stream().reduce(state, SecretState::apply, (_, last) -> last);
  }
}
