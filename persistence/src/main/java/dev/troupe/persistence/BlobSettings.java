package dev.troupe.persistence;

import com.typesafe.config.Config;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Section {@code troupe.blob}; its {@code reference.conf} says what each setting is.
 *
 * @param url empty: the data directory; else a shared directory or a bucket
 */
public record BlobSettings(
    String url,
    String endpoint,
    String region,
    boolean pathStyle,
    String accessKeyId,
    String secretAccessKey,
    String profile,
    Duration patience) {

  public BlobSettings {
    if (patience.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException(
          "troupe.blob.patience is %s and must be at least 1 s".formatted(patience));
    }
  }

  /** Where blobs are. */
  public sealed interface Place {
    /** In the data directory. */
    record Own() implements Place {}

    /** In a directory that several processes may have. */
    record Shared(Path directory) implements Place {}

    /** In a bucket, below a prefix that is empty or ends with a slash. */
    record S3(String bucket, String prefix) implements Place {}
  }

  /** Those of a server whose blobs are in its data directory. */
  static BlobSettings inTheDataDirectory() {
    return new BlobSettings("", "", "", false, "", "", "", Duration.ofSeconds(30));
  }

  /** Reads the section. */
  public static BlobSettings from(Config troupe) {
    Config section = troupe.getConfig("blob");
    return new BlobSettings(
        section.getString("url"),
        section.getString("endpoint"),
        section.getString("region"),
        section.getBoolean("path-style"),
        section.getString("access-key-id"),
        section.getString("secret-access-key"),
        section.getString("profile"),
        section.getDuration("patience"));
  }

  /**
   * What the address means.
   *
   * @throws StartRefused when it means nothing
   */
  public Place place() {
    if (url.isEmpty()) {
      return new Place.Own();
    }
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException malformed) {
      throw unknown();
    }
    String path = uri.getPath() == null ? "" : uri.getPath();
    String host = uri.getHost() == null ? "" : uri.getHost();
    if ("file".equals(uri.getScheme()) && path.length() > 1 && host.isEmpty()) {
      return new Place.Shared(Path.of(path));
    }
    if ("s3".equals(uri.getScheme()) && !host.isEmpty()) {
      String prefix = path.replaceFirst("^/+", "").replaceFirst("/+$", "");
      return new Place.S3(host, prefix.isEmpty() ? "" : prefix + "/");
    }
    throw unknown();
  }

  private StartRefused unknown() {
    return new StartRefused(
        "troupe.blob.url is '%s'; it must be s3://BUCKET/PREFIX or file:///DIRECTORY."
            .formatted(url));
  }
}
