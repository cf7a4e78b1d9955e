package dev.troupe.actors.calllog;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.id.InputId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An unfinished input as the log keeps it.
 *
 * @param position its place in the function's mailbox; smaller runs first
 * @param methodName method of a class; empty for a function
 * @param attempts runs that ended in an error or a timeout
 * @param lost runs whose container was lost
 * @param lease the mark "leased"; null when it waits
 */
public record InputRow(
    InputId input,
    long position,
    String methodName,
    Payload payload,
    int attempts,
    int lost,
    @Nullable LeaseMark lease,
    Instant createdAt)
    implements ClusterMessage {}
