package dev.troupe.gateway.rpc;

/** What kind of program calls, by its {@code x-modal-client-type}. */
public enum ClientType {
  /** The caller did not say, or said a number that we do not know. */
  UNKNOWN,
  /** The Python client: SDK and command line. */
  CLIENT,
  /** The client inside a container. */
  CONTAINER,
  /** The JavaScript client. */
  JAVASCRIPT,
  /** The Go client. */
  GO;

  /** Reads the header's value. */
  public static ClientType of(String header) {
    return switch (header) {
      case "1" -> CLIENT;
      case "3" -> CONTAINER;
      case "8" -> JAVASCRIPT;
      case "9" -> GO;
      default -> UNKNOWN;
    };
  }
}
