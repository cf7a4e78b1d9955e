package dev.troupe.persistence.journal;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.troupe.actors.secret.SecretEvent;
import dev.troupe.persistence.journal.proto.SecretDeleted;
import dev.troupe.persistence.journal.proto.SecretWritten;
import dev.troupe.persistence.store.Micros;
import java.util.List;
import java.util.Map;

/** Events of secrets. */
final class SecretEvents implements EventCodec<SecretEvent> {

  private static final String WRITTEN = "secret.written@1";
  private static final String DELETED = "secret.deleted@1";

  @Override
  public Class<SecretEvent> type() {
    return SecretEvent.class;
  }

  @Override
  public String manifest(SecretEvent event) {
    return switch (event) {
      case SecretEvent.SecretWritten _ -> WRITTEN;
      case SecretEvent.SecretDeleted _ -> DELETED;
    };
  }

  @Override
  public MessageLite message(SecretEvent event) {
    return switch (event) {
      case SecretEvent.SecretWritten written ->
          SecretWritten.newBuilder()
              .setEnvironment(written.environment())
              .setName(written.name())
              .addAllKeys(written.keys())
              .setSealedValues(ByteString.copyFrom(written.sealedValues()))
              .setAt(Micros.of(written.at()))
              .build();
      case SecretEvent.SecretDeleted(var at) ->
          SecretDeleted.newBuilder().setAt(Micros.of(at)).build();
    };
  }

  @Override
  public Map<String, Reader<SecretEvent>> readers() {
    return Map.of(
        WRITTEN, bytes -> written(SecretWritten.parseFrom(bytes)),
        DELETED,
            bytes ->
                new SecretEvent.SecretDeleted(
                    Micros.toInstant(SecretDeleted.parseFrom(bytes).getAt())));
  }

  private static SecretEvent written(SecretWritten message) {
    return new SecretEvent.SecretWritten(
        message.getEnvironment(),
        message.getName(),
        List.copyOf(message.getKeysList()),
        message.getSealedValues().toByteArray(),
        Micros.toInstant(message.getAt()));
  }
}
