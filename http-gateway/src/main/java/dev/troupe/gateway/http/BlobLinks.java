package dev.troupe.gateway.http;

import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.id.BlobId;
import dev.troupe.gateway.http.BlobGrant.Action;
import dev.troupe.protocol.modal.BlobCreateResponse;
import dev.troupe.protocol.modal.MultiPartUpload;
import dev.troupe.protocol.modal.MultiPartUploadList;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/**
 * Makes the signed links under which callers send and fetch blobs.
 *
 * <p>An upload is always offered in parts, be it one: the Python client takes a link for a whole
 * blob only on hosts that it knows, parts on any. The link for the whole is there too, in the older
 * field that the other clients read, where one part is enough.
 */
public final class BlobLinks {

  /** Longest part of an upload; a part that breaks off is sent again from its start. */
  static final long PART_BYTES = 128L << 20;

  private final UrlSigner signer;

  /** Links signed by {@code signer}. */
  public BlobLinks(UrlSigner signer) {
    this.signer = signer;
  }

  /**
   * The answer to {@code BlobCreate}: how to send {@code lengthBytes} to a new blob.
   *
   * @param baseUrl where this caller reaches blob HTTP, without a slash at its end
   * @param caller whom the links are for
   */
  public BlobCreateResponse upload(BlobId blob, long lengthBytes, String baseUrl, String caller) {
    Instant expires = signer.expiry();
    int parts = (int) Math.max(1, Math.ceilDiv(lengthBytes, PART_BYTES));
    MultiPartUpload.Builder upload =
        MultiPartUpload.newBuilder()
            .setPartLength(PART_BYTES)
            .setCompletionUrl(
                url(baseUrl, new BlobGrant(Action.COMPLETE, blob, parts, expires, caller)));
    for (int part = 1; part <= parts; part++) {
      upload.addUploadUrls(
          url(baseUrl, new BlobGrant(Action.PUT_PART, blob, part, expires, caller)));
    }
    BlobCreateResponse.Builder answer =
        BlobCreateResponse.newBuilder()
            .setBlobId(blob.value())
            .addBlobIds(blob.value())
            .setMultiparts(MultiPartUploadList.newBuilder().addItems(upload));
    if (parts == 1) {
      answer.setUploadUrl(url(baseUrl, new BlobGrant(Action.PUT, blob, 0, expires, caller)));
    } else {
      answer.setMultipart(upload);
    }
    return answer.build();
  }

  /** A link to fetch a blob. */
  public String download(BlobId blob, String baseUrl, String caller) {
    return url(baseUrl, new BlobGrant(Action.GET, blob, 0, signer.expiry(), caller));
  }

  private String url(String baseUrl, BlobGrant grant) {
    return "%s%s%s?action=%s&part=%d&expires=%d&caller=%s&signature=%s"
        .formatted(
            baseUrl,
            BlobDoor.PATH,
            grant.blob(),
            grant.action(),
            grant.part(),
            grant.expires().getEpochSecond(),
            URLEncoder.encode(grant.caller(), StandardCharsets.UTF_8),
            signer.sign(grant));
  }
}
