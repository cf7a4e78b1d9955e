package dev.troupe.actors.calllog;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.id.InputId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What an input ended in.
 *
 * @param number its place among the outputs of its call: the cursor of a map
 * @param status the wire's {@code GenericStatus} number: 1 success, 2 failure, 3 terminated, 4
 *     timeout, 5 init failure, 6 internal failure, 10 kernel OOM kill
 * @param result the result as the runner sent it, a serialized {@code GenericResult}; null where
 *     the platform itself ended the input, and {@code message} says why
 * @param message for the caller, where {@code result} is null
 * @param dataFormat the wire's {@code DataFormat} number of the result
 * @param task container that ran it last; empty where none did
 * @param clearedAt when its reader took it; null while nobody did
 */
public record OutputRow(
    InputId input,
    OutputNumber number,
    int status,
    @Nullable Payload result,
    String message,
    int dataFormat,
    String task,
    @Nullable Instant startedAt,
    Instant createdAt,
    @Nullable Instant clearedAt)
    implements ClusterMessage {}
