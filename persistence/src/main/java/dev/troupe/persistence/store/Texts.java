package dev.troupe.persistence.store;

import org.jspecify.annotations.Nullable;

/** Texts as every database takes them. */
public final class Texts {

  /** PostgreSQL keeps no NUL in a text; what users give may hold one. */
  public static @Nullable String storable(@Nullable String text) {
    return text == null || text.indexOf('\0') < 0 ? text : text.replace('\0', '\uFFFD');
  }

  private Texts() {}
}
