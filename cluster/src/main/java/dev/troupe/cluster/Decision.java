package dev.troupe.cluster;

import java.util.List;

/** What a pure state decided: the facts to record, and the answer to give once they are. */
public record Decision<E, R>(List<E> events, R reply) {

  /** Records one fact, then answers. */
  public static <E, R> Decision<E, R> record(E event, R reply) {
    return new Decision<>(List.of(event), reply);
  }

  /** Records several facts as one, then answers. */
  public static <E, R> Decision<E, R> record(List<E> events, R reply) {
    return new Decision<>(List.copyOf(events), reply);
  }

  /** Answers; nothing changed. */
  public static <E, R> Decision<E, R> reply(R reply) {
    return new Decision<>(List.of(), reply);
  }
}
