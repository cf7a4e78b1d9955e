package dev.troupe.gateway.auth;

import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/** Who a request of a machine says it is from, and its proof; empty where they are not sent. */
public record MachineHeaders(String machineId, String token) {

  /** Header of the machine's id. */
  public static final String MACHINE = "x-troupe-machine";

  private static final String BEARER = "Bearer ";

  /** Reads them. */
  public static MachineHeaders of(HttpRequest request) {
    String authorization = header(request, "authorization");
    return new MachineHeaders(
        header(request, MACHINE),
        authorization.startsWith(BEARER) ? authorization.substring(BEARER.length()) : "");
  }

  private static String header(HttpRequest request, String name) {
    return request.getHeader(name).map(HttpHeader::value).orElse("");
  }
}
