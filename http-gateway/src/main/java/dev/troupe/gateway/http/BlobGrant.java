package dev.troupe.gateway.http;

import dev.troupe.actors.id.BlobId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * What one signed link allows.
 *
 * @param part for {@link Action#PUT_PART} the part's number, for {@link Action#COMPLETE} how many
 *     there are; else 0
 * @param expires whole seconds
 * @param caller whom the link was given to
 */
public record BlobGrant(Action action, BlobId blob, int part, Instant expires, String caller) {

  /** What may be done with the blob. */
  public enum Action {
    /** Read it. */
    GET,
    /** Write it whole. */
    PUT,
    /** Write one part. */
    PUT_PART,
    /** Join the parts. */
    COMPLETE
  }

  public BlobGrant {
    expires = expires.truncatedTo(ChronoUnit.SECONDS);
  }
}
