package dev.troupe.gateway.service;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/** Cuts what is to be said to an entity into messages of bounded size. */
final class Chunks {

  private Chunks() {}

  /** Runs of items, in order, none bigger than the limit unless it is a single item. */
  static <T> List<List<T>> of(List<T> items, ToIntFunction<T> sizeBytes, int limitBytes) {
    List<List<T>> chunks = new ArrayList<>();
    List<T> chunk = new ArrayList<>();
    long size = 0;
    for (T item : items) {
      int more = sizeBytes.applyAsInt(item);
      if (!chunk.isEmpty() && size + more > limitBytes) {
        chunks.add(List.copyOf(chunk));
        chunk.clear();
        size = 0;
      }
      chunk.add(item);
      size += more;
    }
    if (!chunk.isEmpty()) {
      chunks.add(List.copyOf(chunk));
    }
    return chunks;
  }
}
