package dev.troupe.persistence.store;

/** The store can't answer now; asking again later is safe. */
public final class StoreAway extends RuntimeException {
  private static final long serialVersionUID = 1;

  public StoreAway(String message) {
    super(message);
  }

  public StoreAway(String message, Throwable cause) {
    super(message, cause);
  }
}
