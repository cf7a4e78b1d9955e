package dev.troupe.actors.function;

/** Ends of an input, numbered as the wire's {@code GenericResult.GenericStatus}. */
public final class Status {

  public static final int SUCCESS = 1;
  public static final int FAILURE = 2;
  public static final int TERMINATED = 3;
  public static final int TIMEOUT = 4;
  public static final int INIT_FAILURE = 5;
  public static final int INTERNAL_FAILURE = 6;
  public static final int OUT_OF_MEMORY = 10;

  private Status() {}
}
