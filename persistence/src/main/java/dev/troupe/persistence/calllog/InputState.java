package dev.troupe.persistence.calllog;

/** Values of {@code function_input.state}, in the order in which an input goes through them. */
final class InputState {

  static final int WAITING = 0;
  static final int LEASED = 1;
  static final int FINISHED = 2;
  static final int CLEARED = 3;

  private InputState() {}
}
