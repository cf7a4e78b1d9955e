package dev.troupe.protocol.link;

/** What both ends of the link over the network must spell alike, beside {@code node_link.proto}. */
public final class NodeLinkWire {

  /** The RPC that opens a link, as gRPC names it; its path is this behind a slash. */
  public static final String CONNECT = "troupe.link.NodeLink/Connect";

  /** Header with the id of the machine that asks. */
  public static final String MACHINE = "x-troupe-machine";

  /** Header that proves it: {@link #BEARER}, then the secret the machine was enrolled with. */
  public static final String AUTHORIZATION = "authorization";

  /** What stands before the secret. */
  public static final String BEARER = "Bearer ";

  private NodeLinkWire() {}
}
