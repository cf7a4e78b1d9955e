package dev.troupe.actors.directory;

import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Names and lists of things, kept by the entities themselves before they answer, so that a client
 * reads its own writes. A name is unique within (kind, environment). Never blocks the caller.
 */
public interface Directory {

  /** What a name may stand for. */
  enum Kind {
    ENVIRONMENT,
    TOKEN,
    APP,
    /** An app that can end by itself, whose entity must be awake; without name and attributes. */
    LIVE_APP,
    SECRET,
    IMAGE_NAME,
    MOUNT,
    MACHINE,
    /** What a process may join with, without name. */
    JOIN_TOKEN,
    /** A use of such a token; the name is the token and the number of the use. */
    JOIN,
    /** Functions kept warm, which are in memory even when nobody calls them. */
    WARM_FUNCTION,
    /** Containers that ended lately, without name; created when they ended. */
    ENDED_CONTAINER
  }

  /**
   * One thing.
   *
   * @param environment empty for kinds that belong to none
   * @param name empty for a thing without a name, which is listed and found by id alone
   * @param attributes what listings show, as text
   */
  record Entry(
      Kind kind,
      String environment,
      String name,
      String id,
      Instant createdAt,
      Map<String, String> attributes)
      implements ClusterMessage {

    /** The same thing with other attributes. */
    public Entry withAttributes(Map<String, String> others) {
      return new Entry(kind, environment, name, id, createdAt, others);
    }
  }

  /** Takes a free name. Gives the entry that has the name now: the caller's, or an earlier one. */
  CompletionStage<Entry> claim(Entry entry);

  /** Writes an entry by its (kind, id); moves the name to it if another had it. */
  CompletionStage<Void> put(Entry entry);

  /** Replaces the attributes of (kind, id) and leaves its name; nothing where there is no entry. */
  CompletionStage<Void> update(Kind kind, String id, Map<String, String> attributes);

  /** Forgets (kind, id). */
  CompletionStage<Void> remove(Kind kind, String id);

  /** Forgets all of a kind that were created before {@code time}. */
  CompletionStage<Void> removeBefore(Kind kind, Instant time);

  /** The thing that has a name. */
  CompletionStage<Optional<Entry>> find(Kind kind, String environment, String name);

  /** The thing that has an id. */
  CompletionStage<Optional<Entry>> byId(Kind kind, String id);

  /** Things of a kind in an environment (all environments when empty), newest first. */
  CompletionStage<List<Entry>> list(Kind kind, String environment, int limit);

  /**
   * Things of a kind in an environment by the order of their names, from behind {@code after} (the
   * first when empty).
   *
   * @param prefix how their names begin
   */
  CompletionStage<List<Entry>> named(
      Kind kind, String environment, String prefix, String after, int limit);
}
