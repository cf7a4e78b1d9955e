package dev.troupe.protocol.link;

import java.util.function.Consumer;

/**
 * The control plane as an agent sees it: something to dial. One implementation hands messages over
 * by a method call (the embedded server), one by the bidirectional stream {@code NodeLink.Connect}.
 *
 * <p>The first message an agent sends on a new link is {@link Hello}. A link that breaks is told to
 * {@code lost} once, and the agent dials again.
 */
public interface ControlPlane {

  /**
   * Opens a link. {@code inbox} is called for each message, in order, one at a time, and must not
   * block for long; {@code lost} is called once with a sentence when the link is gone.
   */
  Link dial(Consumer<ToMachine> inbox, Consumer<String> lost);

  /** The agent's end of an open link. */
  interface Link extends AutoCloseable {

    /** Sends in order; silently dropped once the link is lost, since {@code lost} says so. */
    void send(FromMachine message);

    /**
     * Waits while more is on its way than the peer takes. For what there may be much of: log lines
     * and the output of builds. Returns at once where nothing piles up, and when the link is lost.
     */
    default void awaitRoom() throws InterruptedException {}

    @Override
    void close();
  }
}
