package dev.troupe.actors.calllog;

import dev.troupe.actors.id.TaskId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;

/** That an input was handed to a container, and under which token. */
public record LeaseMark(LeaseToken token, TaskId task, Instant at) implements ClusterMessage {}
