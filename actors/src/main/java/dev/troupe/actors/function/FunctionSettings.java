package dev.troupe.actors.function;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Section {@code troupe.functions}.
 *
 * @param headLimit waiting inputs of one function kept in memory; further ones stay in the log
 * @param pendingLimit unfinished inputs one function may have; past it callers are told to wait
 * @param idleLimit how long a function with nothing to do stays in memory
 * @param adoptionLimit how long a new owner waits for word of a container whose lease it found
 * @param recentCalls how far back finished calls are loaded, so that a repeated request is known
 */
public record FunctionSettings(
    int headLimit,
    int pendingLimit,
    Duration idleLimit,
    Duration adoptionLimit,
    Duration recentCalls) {

  /** Reads the section. */
  public static FunctionSettings from(Config troupe) {
    Config section = troupe.getConfig("functions");
    return new FunctionSettings(
        section.getInt("head-limit"),
        section.getInt("pending-limit"),
        section.getDuration("idle-limit"),
        section.getDuration("adoption-limit"),
        section.getDuration("recent-calls"));
  }
}
