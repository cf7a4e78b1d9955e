package dev.troupe.node.link;

/** What becomes of an agent's link, for whoever tells the user. Called on the link's threads. */
public interface LinkNews {

  /** The server has welcomed this machine. */
  void linked();

  /** The server does not know this machine, or knows it no more. */
  void refused(String why);

  /** There has been no server for so long that what containers waited for was given up. */
  void abandoned();
}
