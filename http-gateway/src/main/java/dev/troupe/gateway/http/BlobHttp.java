package dev.troupe.gateway.http;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.blob.BlobStore.Written;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.id.BlobId;
import dev.troupe.gateway.http.BlobGrant.Action;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blob HTTP, as clients know it from S3: GET, PUT of a whole or of parts, and the POST that joins
 * the parts. A signed link is all it takes; whoever has none learns nothing, not even whether a
 * blob is there.
 */
public final class BlobHttp implements BlobDoor {

  private static final int MAX_COMPLETION_BYTES = 1 << 20;
  private static final Logger LOG = LoggerFactory.getLogger(BlobHttp.class);

  private final BlobStore store;
  private final UrlSigner signer;

  /** Serves the payloads of this store to holders of this signer's links. */
  public BlobHttp(BlobStore store, UrlSigner signer) {
    this.store = store;
    this.signer = signer;
  }

  @Override
  public Response handle(Request request) throws IOException {
    Optional<BlobGrant> grant = grant(request.target());
    if (grant.isEmpty()) {
      return BlobResponses.text(403, "The link is not one that Troupe gave, or it has expired.");
    }
    Action action = grant.get().action();
    String method =
        switch (action) {
          case GET -> "GET";
          case PUT, PUT_PART -> "PUT";
          case COMPLETE -> "POST";
        };
    if (!request.method().equals(method)) {
      return BlobResponses.text(405, "This link is for %s.".formatted(method));
    }
    try {
      return switch (action) {
        case GET -> get(grant.get().blob(), request.headers());
        case PUT, PUT_PART -> put(grant.get(), request);
        case COMPLETE -> complete(grant.get(), request);
      };
    } catch (FileNotFoundException missing) {
      return BlobResponses.text(404, "There is no blob %s.".formatted(grant.get().blob()));
    } catch (BodyStream.TooLong tooLong) {
      return BlobResponses.text(413, String.valueOf(tooLong.getMessage()));
    } catch (BodyStream.BrokenOff broken) {
      return BlobResponses.text(400, String.valueOf(broken.getMessage()));
    } catch (IOException failed) {
      LOG.error("{} of {} failed", action, grant.get().blob(), failed);
      return BlobResponses.text(503, "The blob store did not take or give it; try again.");
    }
  }

  private Response get(BlobId blob, Map<String, String> headers) throws IOException {
    long size = store.payloadSize(blob).orElseThrow(FileNotFoundException::new);
    ByteRange range = ByteRange.of(headers.get("range"), size);
    return switch (range) {
      case ByteRange.Whole whole ->
          BlobResponses.bytes(200, Map.of(), size, store.openPayload(blob, 0));
      case ByteRange.Part part ->
          BlobResponses.bytes(
              206,
              Map.of("content-range", part.header(size)),
              part.length(),
              new HeadStream(store.openPayload(blob, part.first()), part.length()));
      case ByteRange.None none ->
          BlobResponses.text(416, "The blob has %d bytes only.".formatted(size));
    };
  }

  private Response put(BlobGrant grant, Request request) throws IOException {
    try (InputStream body =
        new BodyStream(request.body(), request.contentLength(), BlobLinks.PART_BYTES)) {
      Written written =
          grant.action() == Action.PUT
              ? store.putPayload(grant.blob(), body)
              : store.putPart(grant.blob(), grant.part(), body);
      return BlobResponses.empty(200, Map.of("etag", "\"" + written.md5Hex() + "\""));
    }
  }

  private Response complete(BlobGrant grant, Request request) throws IOException {
    byte[] body;
    try (InputStream stream =
        new BodyStream(request.body(), request.contentLength(), MAX_COMPLETION_BYTES)) {
      body = stream.readAllBytes();
    }
    Optional<PartList> list = PartList.parse(new String(body, StandardCharsets.UTF_8));
    if (list.isEmpty() || list.get().parts() != grant.part()) {
      return BlobResponses.text(
          400, "The body does not list the %d parts, with their ETags.".formatted(grant.part()));
    }
    Written written = store.completeParts(grant.blob(), grant.part());
    if (!written.md5Hex().equals(list.get().md5OfMd5s())) {
      return BlobResponses.text(400, "The parts are not those that the body lists.");
    }
    return BlobResponses.xml(
        "<CompleteMultipartUploadResult><ETag>\"%s-%d\"</ETag></CompleteMultipartUploadResult>"
            .formatted(written.md5Hex(), grant.part()));
  }

  /** What a link allows; empty where it is none of ours, or too old. */
  private Optional<BlobGrant> grant(String target) {
    int query = target.indexOf('?');
    if (query < 0 || !target.startsWith(BlobDoor.PATH)) {
      return Optional.empty();
    }
    try {
      Map<String, String> values = Query.parse(target.substring(query + 1));
      BlobGrant grant =
          new BlobGrant(
              Action.valueOf(values.getOrDefault("action", "")),
              new BlobId(target.substring(BlobDoor.PATH.length(), query)),
              Integer.parseInt(values.getOrDefault("part", "")),
              Instant.ofEpochSecond(Long.parseLong(values.getOrDefault("expires", ""))),
              values.getOrDefault("caller", ""));
      return Optional.of(grant)
          .filter(each -> signer.holds(each, values.getOrDefault("signature", "")));
    } catch (IllegalArgumentException | DateTimeException malformed) {
      return Optional.empty();
    }
  }
}
