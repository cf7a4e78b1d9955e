package dev.troupe.protocol.link;

/** What both ends of the link over the network must spell alike, beside {@code node_link.proto}. */
public final class NodeLinkWire {

  /** The RPC that opens a link, as gRPC names it; its path is this behind a slash. */
  public static final String CONNECT = "troupe.link.NodeLink/Connect";

  /** The path of requests for a machine's certificate. */
  public static final String JOIN = "/_troupe/join";

  /** Header with the join token of such a request. */
  public static final String JOIN_TOKEN = "x-troupe-join-token";

  /** Parameter of a request for content: its key. */
  public static final String CONTENT_KEY = "key";

  private NodeLinkWire() {}
}
