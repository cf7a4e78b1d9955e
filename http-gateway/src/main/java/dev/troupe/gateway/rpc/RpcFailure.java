package dev.troupe.gateway.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import dev.troupe.protocol.modal.RPCRetryPolicy;
import dev.troupe.protocol.modal.RPCStatus;
import java.time.Duration;
import java.util.List;

/**
 * An answer that is a refusal: status, a sentence for the user (the client prints it), and details.
 * Thrown by handlers, or the failure of their stage or stream. Carries no stack trace: it is an
 * answer, not a bug.
 */
public final class RpcFailure extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final String TYPE_PREFIX = "type.modal.com";

  private final StatusCode code;
  private final transient List<Message> details;

  private RpcFailure(StatusCode code, String message, List<Message> details) {
    super(message, null, false, false);
    this.code = code;
    this.details = details;
  }

  /** A refusal with any status, and details that the client knows, if any. */
  public static RpcFailure of(StatusCode code, String message, Message... details) {
    return new RpcFailure(code, message, List.of(details));
  }

  /** What was named is not there. */
  public static RpcFailure notFound(String message) {
    return of(StatusCode.NOT_FOUND, message);
  }

  /** The caller sent something that can never be right. */
  public static RpcFailure invalid(String message) {
    return of(StatusCode.INVALID_ARGUMENT, message);
  }

  /** What was to be made is there. */
  public static RpcFailure exists(String message) {
    return of(StatusCode.ALREADY_EXISTS, message);
  }

  /** Right in itself, not in the present state of the thing. */
  public static RpcFailure precondition(String message) {
    return of(StatusCode.FAILED_PRECONDITION, message);
  }

  /** The caller is known and may not do this. */
  public static RpcFailure denied(String message) {
    return of(StatusCode.PERMISSION_DENIED, message);
  }

  /** The caller is not known. */
  public static RpcFailure unauthenticated(String message) {
    return of(StatusCode.UNAUTHENTICATED, message);
  }

  /** Not served (yet); says which. */
  public static RpcFailure unimplemented(String message) {
    return of(StatusCode.UNIMPLEMENTED, message);
  }

  /** Cannot be answered now. The client repeats the same call after {@code retryAfter}. */
  public static RpcFailure unavailable(String message, Duration retryAfter) {
    return of(StatusCode.UNAVAILABLE, message, retryPolicy(retryAfter));
  }

  /** Too much is asked of us now. The client repeats the same call after {@code retryAfter}. */
  public static RpcFailure overloaded(String message, Duration retryAfter) {
    return of(StatusCode.RESOURCE_EXHAUSTED, message, retryPolicy(retryAfter));
  }

  /** More than is ever taken; a repeat would not help. */
  public static RpcFailure tooLarge(String message) {
    return of(StatusCode.RESOURCE_EXHAUSTED, message);
  }

  /** The status. */
  public StatusCode code() {
    return code;
  }

  /** The sentence for the user. */
  public String description() {
    String message = getMessage();
    return message == null ? "" : message;
  }

  /** {@code grpc-status-details-bin}, as bytes; empty when there are no details. */
  public byte[] detailsBytes() {
    if (details.isEmpty()) {
      return new byte[0];
    }
    RPCStatus.Builder status =
        RPCStatus.newBuilder().setCode(code.number()).setMessage(description());
    for (Message detail : details) {
      status.addDetails(Any.pack(detail, TYPE_PREFIX));
    }
    return status.build().toByteArray();
  }

  private static RPCRetryPolicy retryPolicy(Duration after) {
    return RPCRetryPolicy.newBuilder().setRetryAfterSecs(after.toMillis() / 1000f).build();
  }
}
