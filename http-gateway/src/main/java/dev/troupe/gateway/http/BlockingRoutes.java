package dev.troupe.gateway.http;

import dev.troupe.actors.blob.ContentSource;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogIntake;
import dev.troupe.gateway.auth.MachineCheck;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.protocol.link.NodeLinkWire;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.RequestEntity;
import org.apache.pekko.http.javadsl.model.ResponseEntity;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.StreamConverters;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What on the public port reads and writes the blob store: blobs by signed links for clients,
 * content by digest for machines, and segments of logs from them. Bodies are streamed both ways,
 * each request on a thread of its own, since the store blocks.
 */
public final class BlockingRoutes {

  private static final int CHUNK_BYTES = 64 << 10;
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern SEGMENT =
      Pattern.compile("((?:ap|im)-[0-9A-Za-z]{1,76})/([0-9]{1,18})-([0-9]{1,18})");
  private static final Logger LOG = LoggerFactory.getLogger(BlockingRoutes.class);

  private final BlobDoor blobs;
  private final ContentSource content;
  private final LogIntake logs;
  private final MachineCheck machines;
  private final ContentCheck given;
  private final Executor blocking;
  private final Materializer materializer;

  /** Says which content a machine was told to fetch. */
  @FunctionalInterface
  public interface ContentCheck {

    /** Whether it was told so; {@code key} came with the order. */
    boolean isGiven(MachineId machine, String sha256Hex, String key);
  }

  /** Routes to these stores; {@code blocking} runs one request a thread. */
  public BlockingRoutes(
      BlobDoor blobs,
      ContentSource content,
      LogIntake logs,
      MachineCheck machines,
      ContentCheck given,
      Executor blocking,
      Materializer materializer) {
    this.blobs = blobs;
    this.content = content;
    this.logs = logs;
    this.machines = machines;
    this.given = given;
    this.blocking = blocking;
    this.materializer = materializer;
  }

  /** Answers a request under {@link BlobDoor#PATH}. */
  public CompletionStage<HttpResponse> blob(HttpRequest request) {
    return CompletableFuture.supplyAsync(() -> answer(request), blocking);
  }

  /** Answers a GET under {@link ContentSource#PATH}: for machines alone. */
  public CompletionStage<HttpResponse> content(HttpRequest request) {
    String digest = request.getUri().path().substring(ContentSource.PATH.length());
    if (!SHA256.matcher(digest).matches()) {
      return CompletableFuture.completedFuture(
          Plain.text(404, "Content is named by its SHA-256 in lower-case hexadecimal."));
    }
    String key = request.getUri().query().get(NodeLinkWire.CONTENT_KEY).orElse("");
    return ofMachine(
        request,
        machine ->
            given.isGiven(machine, digest, key)
                ? contentOf(digest)
                : Plain.text(
                    403,
                    "Content %s belongs to nothing that was placed on machine %s."
                        .formatted(digest, machine)));
  }

  /** Answers a PUT under {@link LogIntake#PATH}: of machines alone, each for itself. */
  public CompletionStage<HttpResponse> logs(HttpRequest request) {
    Matcher path = SEGMENT.matcher(request.getUri().path().substring(LogIntake.PATH.length()));
    if (!request.method().equals(HttpMethods.PUT) || !path.matches()) {
      return CompletableFuture.completedFuture(
          Plain.text(404, "Segments of logs are put to their log, number and time."));
    }
    return ofMachine(request, machine -> keep(request, path, machine));
  }

  /** Answers a machine of this server; anyone else is refused. */
  private CompletionStage<HttpResponse> ofMachine(
      HttpRequest request, Function<MachineId, HttpResponse> answer) {
    return machines
        .machineOf(request)
        .handleAsync(
            (machine, failure) ->
                failure == null
                    ? answer.apply(machine)
                    : Plain.text(401, Failures.of("a machine", failure).description()),
            blocking);
  }

  private HttpResponse keep(HttpRequest request, Matcher path, MachineId machine) {
    try (InputStream body = body(request.entity())) {
      byte[] bytes = body.readNBytes(LogIntake.LARGEST_BYTES + 1);
      if (bytes.length > LogIntake.LARGEST_BYTES) {
        return Plain.text(413, "A segment of a log is shorter.");
      }
      logs.put(
          new LogIntake.Segment(
              path.group(1), machine, Long.parseLong(path.group(2)), Long.parseLong(path.group(3))),
          bytes);
      return Plain.text(200, "kept");
    } catch (IOException failed) {
      LOG.error("A segment of {} was not kept", path.group(1), failed);
      return Plain.text(503, "The archive did not take it; try again.");
    }
  }

  private HttpResponse answer(HttpRequest request) {
    try (InputStream body = body(request.entity())) {
      BlobDoor.Response answer =
          blobs.handle(
              new BlobDoor.Request(
                  request.method().name(),
                  request.getUri().getPathString() + query(request),
                  headers(request),
                  length(request.entity()),
                  body));
      HttpResponse response = HttpResponse.create().withStatus(answer.status());
      ContentType type = ContentTypes.APPLICATION_OCTET_STREAM;
      for (Map.Entry<String, String> header : answer.headers().entrySet()) {
        if (header.getKey().equals("content-type")) {
          type = ContentTypes.parse(header.getValue());
        } else {
          response = response.addHeader(RawHeader.create(header.getKey(), header.getValue()));
        }
      }
      return response.withEntity(entity(type, answer.contentLength(), answer.body()));
    } catch (IOException failed) {
      LOG.error("{} {} failed", request.method().name(), request.getUri().path(), failed);
      return Plain.text(503, "The blob store did not take or give it; try again.");
    }
  }

  private HttpResponse contentOf(String digest) {
    try {
      InputStream bytes = content.open(digest);
      return HttpResponse.create()
          .withEntity(
              HttpEntities.createChunked(
                  ContentTypes.APPLICATION_OCTET_STREAM,
                  StreamConverters.fromInputStream(() -> bytes, CHUNK_BYTES)));
    } catch (FileNotFoundException missing) {
      return Plain.text(404, "There is no content " + digest + ".");
    } catch (IOException failed) {
      LOG.error("Content {} failed", digest, failed);
      return Plain.text(503, "The blob store did not give it; try again.");
    }
  }

  private InputStream body(RequestEntity entity) {
    if (entity instanceof HttpEntity.Strict strict) {
      return strict.getData().asInputStream();
    }
    return entity
        .withoutSizeLimit()
        .getDataBytes()
        .runWith(StreamConverters.asInputStream(Plain.STALL), materializer);
  }

  private static ResponseEntity entity(ContentType type, long length, InputStream body)
      throws IOException {
    if (length == 0) {
      body.close();
      return HttpEntities.create(type, ByteString.emptyByteString());
    }
    return HttpEntities.create(
        type, length, StreamConverters.fromInputStream(() -> body, CHUNK_BYTES));
  }

  private static long length(RequestEntity entity) {
    return entity.getContentLengthOption().orElse(-1);
  }

  private static String query(HttpRequest request) {
    Optional<String> raw = request.getUri().rawQueryString();
    return raw.map(text -> "?" + text).orElse("");
  }

  private static Map<String, String> headers(HttpRequest request) {
    Map<String, String> headers = new HashMap<>();
    for (HttpHeader header : request.getHeaders()) {
      headers.putIfAbsent(header.lowercaseName().toLowerCase(Locale.ROOT), header.value());
    }
    return headers;
  }
}
