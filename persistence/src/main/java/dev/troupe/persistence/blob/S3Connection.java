package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.persistence.BlobSettings;
import dev.troupe.persistence.BlobSettings.Place;
import dev.troupe.persistence.StartRefused;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;

/**
 * Connects to S3. Nothing but this and what it opens names a class of its client, so that none is
 * loaded where blobs are elsewhere.
 */
final class S3Connection {

  private static final Duration CONNECT = Duration.ofSeconds(3);

  private S3Connection() {}

  static BlobHome open(BlobSettings settings, Place.S3 place, Path spool, String owner)
      throws IOException {
    String at = settings.endpoint().isEmpty() ? "AWS" : settings.endpoint();
    S3Bucket bucket =
        new S3Bucket(client(settings), place.bucket(), place.prefix(), settings.patience());
    boolean open = false;
    try {
      S3Refusals refusals = new S3Refusals(at, place.bucket());
      takeHold(bucket, settings.url(), owner, refusals);
      open = true;
      S3Uploads uploads = S3Uploads.through(spool, bucket);
      return new BlobHome(
          new S3BlobStore(bucket, uploads, InstantSource.system()),
          new S3LogArchive(bucket),
          "s3://" + place.bucket() + "/" + place.prefix(),
          bucket);
    } finally {
      if (!open) {
        bucket.close();
      }
    }
  }

  private static void takeHold(S3Bucket bucket, String url, String owner, S3Refusals refusals) {
    try {
      // Of all requests only those with a body in the answer say what is wrong.
      bucket.page(BlobHome.OWNER, "");
      try (InputStream mark = S3Download.open(bucket, BlobHome.OWNER, 0)) {
        BlobHome.checkOwner(url, new String(mark.readAllBytes(), UTF_8), owner);
      } catch (FileNotFoundException fresh) {
        bucket.put(BlobHome.OWNER, owner.getBytes(UTF_8), Map.of());
      }
    } catch (IOException failure) {
      throw refusals.of(failure);
    }
  }

  /** Checksums that older servers of S3 don't know are left out; there is an MD5 instead. */
  static S3Client client(BlobSettings settings) {
    try {
      S3ClientBuilder builder =
          S3Client.builder()
              .credentialsProvider(credentials(settings))
              .region(Region.of(settings.region().isEmpty() ? "us-east-1" : settings.region()))
              .forcePathStyle(settings.pathStyle())
              .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
              .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
              .serviceConfiguration(S3Configuration.builder().chunkedEncodingEnabled(false).build())
              .overrideConfiguration(override -> override.apiCallTimeout(settings.patience()))
              .httpClientBuilder(
                  UrlConnectionHttpClient.builder()
                      .connectionTimeout(CONNECT)
                      .socketTimeout(settings.patience()));
      if (!settings.endpoint().isEmpty()) {
        builder.endpointOverride(URI.create(settings.endpoint()));
      }
      return builder.build();
    } catch (IllegalArgumentException | NullPointerException malformed) {
      throw new StartRefused(
          "troupe.blob.endpoint is '%s'; it must be http://HOST:PORT, or https. (%s)"
              .formatted(settings.endpoint(), malformed.getMessage()),
          malformed);
    }
  }

  private static AwsCredentialsProvider credentials(BlobSettings settings) {
    if (!settings.accessKeyId().isEmpty()) {
      return StaticCredentialsProvider.create(
          AwsBasicCredentials.create(settings.accessKeyId(), settings.secretAccessKey()));
    }
    return settings.profile().isEmpty()
        ? DefaultCredentialsProvider.builder().build()
        : ProfileCredentialsProvider.create(settings.profile());
  }
}
