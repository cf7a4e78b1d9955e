package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Empty;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretProtocol;
import dev.troupe.actors.secret.SecretProtocol.Delete;
import dev.troupe.actors.secret.SecretProtocol.Read;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.actors.secret.SecretProtocol.Write;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.gateway.secret.SecretBox;
import dev.troupe.gateway.testing.XorVault;
import dev.troupe.protocol.modal.ObjectCreationType;
import dev.troupe.protocol.modal.SecretDeleteRequest;
import dev.troupe.protocol.modal.SecretGetOrCreateRequest;
import dev.troupe.protocol.modal.SecretGetOrCreateResponse;
import dev.troupe.protocol.modal.SecretListItem;
import dev.troupe.protocol.modal.SecretListRequest;
import dev.troupe.protocol.modal.SecretListResponse;
import dev.troupe.protocol.modal.SecretUpdateRequest;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SecretsServiceTest {

  private final Harness harness = new Harness();
  private final Map<String, SecretReply> written = new ConcurrentHashMap<>();

  @BeforeEach
  void secrets() {
    harness.entity(SecretProtocol.KEY, this::hear);
  }

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void makesASecretAndFindsItByName() throws GeneralSecurityException {
    SecretGetOrCreateResponse made = make("db", "key 1", Map.of("USER", "u", "PASSWORD", "p"));

    SecretGetOrCreateResponse found = find("db", List.of("USER"));

    assertThat(found).isEqualTo(made);
    assertThat(found.getMetadata().getKeysList()).containsExactly("PASSWORD", "USER");
    assertThat(values(made.getSecretId())).containsEntry("PASSWORD", "p");
  }

  @Test
  void refusesANameThatIsTaken() {
    make("db", "key 1", Map.of("A", "1"));

    RpcFailure failure =
        catchThrowableOfType(RpcFailure.class, () -> make("db", "key 2", Map.of("A", "2")));

    assertThat(failure.code()).isEqualTo(StatusCode.ALREADY_EXISTS);
  }

  @Test
  void answersARepeatLikeTheFirst() {
    assertThat(make("db", "key 1", Map.of("A", "1")))
        .isEqualTo(make("db", "key 1", Map.of("A", "1")));
  }

  @Test
  void overwritesWhereThatIsAskedFor() throws GeneralSecurityException {
    String id = make("db", "key 1", Map.of("A", "1")).getSecretId();

    SecretGetOrCreateResponse again =
        create(
            ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS,
            "db",
            "key 2",
            Map.of("B", "2"));

    assertThat(again.getSecretId()).isEqualTo(id);
    assertThat(values(id)).isEqualTo(Map.of("B", "2"));
  }

  @Test
  void keepsWhatIsThereWhereOnlyAMissingOneIsWanted() throws GeneralSecurityException {
    String id = make("db", "key 1", Map.of("A", "1")).getSecretId();

    create(
        ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING, "db", "key 2", Map.of("A", "2"));

    assertThat(values(id)).isEqualTo(Map.of("A", "1"));
  }

  @Test
  void saysWhichSecretAndWhichKeysAreMissing() {
    make("db", "key 1", Map.of("A", "1"));

    RpcFailure noSecret = catchThrowableOfType(RpcFailure.class, () -> find("cache", List.of()));
    RpcFailure noKeys =
        catchThrowableOfType(RpcFailure.class, () -> find("db", List.of("A", "C", "B")));

    assertThat(noSecret.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(noSecret.description()).contains("'cache'", "'main'");
    assertThat(noKeys.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(noKeys.description()).contains("B, C", "it has A");
  }

  @Test
  void givesTheSameCodeTheSameSecret() {
    SecretGetOrCreateResponse one = anonymous("key 1", Map.of("A", "1"));

    assertThat(anonymous("key 2", Map.of("A", "1")).getSecretId()).isEqualTo(one.getSecretId());
    assertThat(anonymous("key 3", Map.of("A", "2")).getSecretId()).isNotEqualTo(one.getSecretId());
  }

  @Test
  void listsThoseThatHaveANameAndForgetsWhatIsDeleted() {
    String id = make("db", "key 1", Map.of("A", "1")).getSecretId();
    anonymous("key 2", Map.of("A", "1"));

    assertThat(list()).extracting(SecretListItem::getLabel).containsExactly("db");
    assertThat(list().getFirst().getMetadata().getKeysList()).containsExactly("A");

    harness.call(
        Empty.class,
        Harness.TOKEN,
        "SecretDelete",
        SecretDeleteRequest.newBuilder().setSecretId(id).build());

    assertThat(list()).isEmpty();
  }

  @Test
  void updatesSomeValuesAndLeavesTheRest() throws GeneralSecurityException {
    String id = make("db", "key 1", Map.of("A", "1", "B", "2", "C", "3")).getSecretId();

    harness.call(
        Empty.class,
        Harness.TOKEN,
        "SecretUpdate",
        SecretUpdateRequest.newBuilder()
            .setSecretId(id)
            .addUpdates(SecretUpdateRequest.Update.newBuilder().setKey("A").setValue("9"))
            .addUpdates(SecretUpdateRequest.Update.newBuilder().setKey("B"))
            .build());

    assertThat(values(id)).isEqualTo(Map.of("A", "9", "C", "3"));
  }

  @Test
  void refusesWhatCannotBeAnEnvironmentVariable() {
    RpcFailure failure =
        catchThrowableOfType(RpcFailure.class, () -> make("db", "key 1", Map.of("A=B", "1")));

    assertThat(failure.code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  private SecretGetOrCreateResponse make(String name, String key, Map<String, String> values) {
    return create(ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS, name, key, values);
  }

  private SecretGetOrCreateResponse create(
      ObjectCreationType type, String name, String key, Map<String, String> values) {
    return harness.call(
        SecretGetOrCreateResponse.class,
        Harness.TOKEN,
        "SecretGetOrCreate",
        key,
        SecretGetOrCreateRequest.newBuilder()
            .setDeploymentName(name)
            .setObjectCreationType(type)
            .putAllEnvDict(values)
            .build());
  }

  private SecretGetOrCreateResponse anonymous(String key, Map<String, String> values) {
    return harness.call(
        SecretGetOrCreateResponse.class,
        Harness.TOKEN,
        "SecretGetOrCreate",
        key,
        SecretGetOrCreateRequest.newBuilder()
            .setAppId(Harness.APP.value())
            .setObjectCreationType(ObjectCreationType.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP)
            .putAllEnvDict(values)
            .build());
  }

  private SecretGetOrCreateResponse find(String name, List<String> required) {
    return harness.call(
        SecretGetOrCreateResponse.class,
        Harness.TOKEN,
        "SecretGetOrCreate",
        SecretGetOrCreateRequest.newBuilder()
            .setDeploymentName(name)
            .addAllRequiredKeys(required)
            .build());
  }

  private List<SecretListItem> list() {
    return harness
        .call(
            SecretListResponse.class,
            Harness.TOKEN,
            "SecretList",
            SecretListRequest.getDefaultInstance())
        .getItemsList();
  }

  private Map<String, String> values(String id) throws GeneralSecurityException {
    SecretReply.Secret secret = (SecretReply.Secret) Objects.requireNonNull(written.get(id));
    return new SecretBox(new XorVault()).open(new SecretId(id), secret.sealedValues());
  }

  private void hear(String id, SecretProtocol.Command command) {
    SecretReply none = new SecretReply.NoSecret(new SecretId(id), "");
    switch (command) {
      case Read(var replyTo) -> replyTo.tell(written.getOrDefault(id, none));
      case Write write -> write.replyTo().tell(write(id, write));
      case Delete(var replyTo) -> {
        written.remove(id);
        harness.directory.remove(Directory.Kind.SECRET, id).toCompletableFuture().join();
        replyTo.tell(none);
      }
      default -> throw new IllegalStateException("not expected: " + command);
    }
  }

  private SecretReply write(String id, Write write) {
    SecretReply.Secret secret =
        new SecretReply.Secret(
            new SecretId(id),
            write.environment(),
            write.name(),
            write.keys(),
            write.sealedValues(),
            harness.clock.instant(),
            harness.clock.instant());
    written.put(id, secret);
    if (!write.name().isEmpty()) {
      harness
          .directory
          .put(
              new Directory.Entry(
                  Directory.Kind.SECRET,
                  write.environment(),
                  write.name(),
                  id,
                  harness.clock.instant(),
                  Map.of(SecretProtocol.KEYS_ATTRIBUTE, String.join(",", write.keys()))))
          .toCompletableFuture()
          .join();
    }
    return secret;
  }
}
