package dev.troupe.persistence.blob;

import dev.troupe.persistence.StartRefused;
import java.io.IOException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What S3 says, for the person who starts a server. */
final class S3Refusals {

  private final String place;
  private final String bucket;

  /** Refusals of a bucket at a place, as the messages name them. */
  S3Refusals(String place, String bucket) {
    this.place = place;
    this.bucket = bucket;
  }

  /** The code of S3, such as NoSuchBucket; its status where it gave none. */
  static String code(S3Exception refused) {
    var details = refused.awsErrorDetails();
    String code = details == null ? null : details.errorCode();
    return code == null || code.isEmpty() ? Integer.toString(refused.statusCode()) : code;
  }

  /** Why a start can't be. */
  StartRefused of(IOException failure) {
    Throwable cause = failure.getCause();
    String sentence =
        switch (cause) {
          case S3Exception refused -> refused(refused);
          case SdkException away -> away(away);
          case null, default -> failure.getMessage() + ".";
        };
    return new StartRefused(sentence, failure);
  }

  private String refused(S3Exception refused) {
    String code = code(refused);
    return switch (code) {
      case "NoSuchBucket", "404" ->
          "There is no bucket %s at %s. Make it, or correct troupe.blob.url."
              .formatted(bucket, place);
      case "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken" ->
          ("S3 at %s doesn't take these credentials (%s). Look at troupe.blob.access-key-id and"
                  + " secret-access-key, or, where they are empty, at the variables and the profile"
                  + " of AWS.")
              .formatted(place, code);
      case "AccessDenied", "AllAccessDisabled", "403" ->
          ("S3 at %s lets this server not use the bucket %s (%s). The user of its credentials needs"
                  + " s3:ListBucket and s3:ListBucketMultipartUploads of the bucket, and"
                  + " s3:GetObject, PutObject, DeleteObject and AbortMultipartUpload of what is in"
                  + " it.")
              .formatted(place, bucket, code);
      case "PermanentRedirect",
          "AuthorizationHeaderMalformed",
          "IllegalLocationConstraintException",
          "301" ->
          "The bucket %s is in another region (%s). Set troupe.blob.region to its own."
              .formatted(bucket, code);
      default ->
          "S3 at %s refuses the bucket %s: %s (%s)."
              .formatted(place, bucket, refused.getMessage(), code);
    };
  }

  private String away(SdkException away) {
    String why = String.valueOf(away.getMessage());
    if (why.contains("Unable to load credentials")) {
      return "There are no credentials for S3. Set troupe.blob.access-key-id and secret-access-key,"
          + " or the variables or a profile of AWS.";
    }
    Throwable deepest = away;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    return ("S3 at %s can't be reached now: %s. Look at troupe.blob.endpoint and path-style, and"
            + " whether it runs there.")
        .formatted(place, deepest);
  }
}
