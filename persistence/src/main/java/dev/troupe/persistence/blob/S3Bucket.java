package dev.troupe.persistence.blob;

import dev.troupe.actors.blob.BlobStore;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MetadataDirective;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * The objects of a bucket below a prefix, by keys without it. What fails is an {@link IOException}:
 * {@link FileNotFoundException} where there is no such object, else {@link BlobStore.Away} with a
 * sentence.
 */
final class S3Bucket implements AutoCloseable {

  /** Requests at one time; more wait, the patience of one at most. */
  private static final int REQUESTS = 64;

  /** S3 may take long over an object of thousands of parts. */
  private static final Duration COMPLETION = Duration.ofSeconds(100);

  private final S3Client client;
  private final String bucket;
  private final String prefix;
  private final Duration patience;
  private final Semaphore requests = new Semaphore(REQUESTS);

  S3Bucket(S3Client client, String bucket, String prefix, Duration patience) {
    this.client = client;
    this.bucket = bucket;
    this.prefix = prefix;
    this.patience = patience;
  }

  /** An object as it is listed. */
  record Listed(String key, long sizeBytes, Instant modified) {}

  /** An object as it is asked for. */
  record Head(long sizeBytes, Instant modified, String etag, Map<String, String> metadata) {}

  /** An object's bytes from an offset on; {@code sizeBytes} is how many these are. */
  record Opened(InputStream bytes, long sizeBytes, String etag) {}

  void put(String key, byte[] bytes, Map<String, String> metadata) throws IOException {
    ask(
        "keep " + key,
        () ->
            client.putObject(
                request ->
                    request
                        .bucket(bucket)
                        .key(prefix + key)
                        .metadata(metadata)
                        .contentMD5(base64(Aside.digest("MD5").digest(bytes))),
                RequestBody.fromBytes(bytes)));
  }

  void put(String key, Chunk chunk) throws IOException {
    ask(
        "keep " + key,
        () ->
            client.putObject(
                request -> request.bucket(bucket).key(prefix + key).contentMD5(base64(chunk.md5())),
                body(chunk)));
  }

  /** Begins an object that is sent in parts; gives the name of its upload. */
  String begin(String key) throws IOException {
    return ask(
        "keep " + key,
        () ->
            client
                .createMultipartUpload(request -> request.bucket(bucket).key(prefix + key))
                .uploadId());
  }

  CompletedPart putPart(String key, String upload, int number, Chunk chunk) throws IOException {
    String etag =
        ask(
            "keep " + key,
            () ->
                client
                    .uploadPart(
                        request ->
                            request
                                .bucket(bucket)
                                .key(prefix + key)
                                .uploadId(upload)
                                .partNumber(number)
                                .contentMD5(base64(chunk.md5())),
                        body(chunk))
                    .eTag());
    return CompletedPart.builder().partNumber(number).eTag(etag).build();
  }

  /** Makes another object a part, where it lies. */
  CompletedPart copyPart(String key, String upload, int number, String source) throws IOException {
    String etag =
        ask(
            "join " + key,
            () ->
                client
                    .uploadPartCopy(
                        request ->
                            request
                                .sourceBucket(bucket)
                                .sourceKey(prefix + source)
                                .destinationBucket(bucket)
                                .destinationKey(prefix + key)
                                .uploadId(upload)
                                .partNumber(number))
                    .copyPartResult()
                    .eTag());
    return CompletedPart.builder().partNumber(number).eTag(etag).build();
  }

  void complete(String key, String upload, List<CompletedPart> parts) throws IOException {
    ask(
        "keep " + key,
        () ->
            client.completeMultipartUpload(
                request ->
                    request
                        .bucket(bucket)
                        .key(prefix + key)
                        .uploadId(upload)
                        .overrideConfiguration(timing -> timing.apiCallTimeout(COMPLETION))
                        .multipartUpload(all -> all.parts(parts))));
  }

  void abort(String key, String upload) throws IOException {
    ask(
        "give up " + key,
        () ->
            client.abortMultipartUpload(
                request -> request.bucket(bucket).key(prefix + key).uploadId(upload)));
  }

  /** Gives up what was begun before a time and never completed. */
  void abortBefore(Instant before) throws IOException {
    var begun =
        ask(
            "list what was begun",
            () -> client.listMultipartUploads(request -> request.bucket(bucket).prefix(prefix)));
    for (var upload : begun.uploads()) {
      if (upload.initiated().isBefore(before)) {
        abort(upload.key().substring(prefix.length()), upload.uploadId());
      }
    }
  }

  /** Whether S3 has it, and as what. */
  Optional<Head> head(String key) throws IOException {
    try {
      HeadObjectResponse head =
          ask(
              "look for " + key,
              () -> client.headObject(request -> request.bucket(bucket).key(prefix + key)));
      return Optional.of(
          new Head(head.contentLength(), head.lastModified(), head.eTag(), head.metadata()));
    } catch (FileNotFoundException none) {
      return Optional.empty();
    }
  }

  /**
   * Opens an object.
   *
   * @param etag the version it has to be, if one is meant
   */
  Opened open(String key, long offset, Optional<String> etag) throws IOException {
    ResponseInputStream<GetObjectResponse> opened =
        ask(
            "read " + key,
            () ->
                client.getObject(
                    request -> {
                      request.bucket(bucket).key(prefix + key);
                      if (offset > 0) {
                        request.range("bytes=" + offset + "-");
                      }
                      etag.ifPresent(request::ifMatch);
                    }));
    return new Opened(opened, opened.response().contentLength(), opened.response().eTag());
  }

  /** Gives an object the time of now. */
  void renew(String key) throws IOException {
    ask(
        "renew " + key,
        () ->
            client.copyObject(
                request ->
                    request
                        .sourceBucket(bucket)
                        .sourceKey(prefix + key)
                        .destinationBucket(bucket)
                        .destinationKey(prefix + key)
                        .metadataDirective(MetadataDirective.REPLACE)));
  }

  /** Deletes an object; it need not be there. */
  void delete(String key) throws IOException {
    try {
      ask(
          "delete " + key,
          () -> client.deleteObject(request -> request.bucket(bucket).key(prefix + key)));
    } catch (FileNotFoundException gone) {
      // As wished.
    }
  }

  /** Up to 1000 objects below a folder, in the order of their keys, behind {@code after}. */
  List<Listed> page(String folder, String after) throws IOException {
    return ask(
        "list " + folder,
        () ->
            client
                .listObjectsV2(
                    request -> {
                      request.bucket(bucket).prefix(prefix + folder);
                      if (!after.isEmpty()) {
                        request.startAfter(prefix + after);
                      }
                    })
                .contents()
                .stream()
                .map(
                    object ->
                        new Listed(
                            object.key().substring(prefix.length()),
                            object.size(),
                            object.lastModified()))
                .toList());
  }

  private static RequestBody body(Chunk chunk) {
    return RequestBody.fromContentProvider(
        chunk::stream, chunk.sizeBytes(), "application/octet-stream");
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private <T> T ask(String what, Supplier<T> request) throws IOException {
    boolean admitted = false;
    try {
      admitted = requests.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS);
      if (!admitted) {
        throw new BlobStore.Away(
            "The blob store is too slow to %s now".formatted(what), new IOException("full"));
      }
      return request.get();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    } catch (S3Exception refused) {
      if (refused.statusCode() == 404 && !S3Refusals.code(refused).equals("NoSuchBucket")) {
        var missing = new FileNotFoundException("there is no " + what.replaceFirst("^.* ", ""));
        missing.initCause(refused);
        throw missing;
      }
      throw new BlobStore.Away(
          "The blob store refuses to %s now (%s)".formatted(what, S3Refusals.code(refused)),
          refused);
    } catch (SdkException away) {
      throw new BlobStore.Away("The blob store can't %s now".formatted(what), away);
    } finally {
      if (admitted) {
        requests.release();
      }
    }
  }

  @Override
  public void close() {
    client.close();
  }
}
