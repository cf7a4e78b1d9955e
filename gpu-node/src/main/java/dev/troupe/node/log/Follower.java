package dev.troupe.node.log;

import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.WantedLines;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One reader of an app's lines: a virtual thread that sends while there are lines and credit. */
final class Follower {

  private static final Logger LOG = LoggerFactory.getLogger(Follower.class);
  private static final int BATCH_LINES = 500;

  private final LogBook book;
  private final FollowLogs request;
  private final Consumer<LogBatch> to;
  private final Semaphore news = new Semaphore(1);
  private volatile boolean ended;
  private final Predicate<LogLine> filter;
  private volatile AppLog.@Nullable Position position;
  private volatile long lastProgress = System.nanoTime();
  private AppLog.@Nullable Here begun;
  private int credit;
  private boolean saidDrained;

  Follower(LogBook book, FollowLogs request, Consumer<LogBatch> to) {
    this.book = book;
    this.request = request;
    this.to = to;
    this.filter = WantedLines.by(request.getFilter());
    this.credit = request.getCredit();
  }

  String appId() {
    return request.getAppId();
  }

  AppLog.Position position() {
    AppLog.Position at = position;
    return at == null ? AppLog.Position.START : at;
  }

  long lastProgress() {
    return lastProgress;
  }

  private boolean wants(LogLine line) {
    boolean later =
        line.getTimeUs() > request.getAfterTimeUs()
            || (line.getTimeUs() == request.getAfterTimeUs()
                && line.getNumber() > request.getAfterNumber());
    return later && filter.test(line);
  }

  /** Whether one of these containers may print what is wanted. */
  boolean waitsFor(Set<String> printing) {
    String task = request.getFilter().getTaskId();
    return task.isEmpty() ? !printing.isEmpty() : printing.contains(task);
  }

  void begin() {
    Thread.ofVirtual().name("log-follower-" + request.getFollowId()).start(this::send);
  }

  synchronized void credit(int lines) {
    credit += lines;
    news.release();
  }

  void wake() {
    news.release();
  }

  void end() {
    ended = true;
    news.release();
  }

  private synchronized int takeCredit(int lines) {
    credit -= lines;
    return credit;
  }

  private synchronized int availableCredit() {
    return credit;
  }

  private void send() {
    try {
      while (!ended) {
        news.acquire();
        news.drainPermits();
        while (!ended && sendBatch()) {
          // Until there is nothing to send or no credit for it.
        }
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException failure) {
      LOG.warn("following the logs of {} broke off", appId(), failure);
    }
  }

  private boolean sendBatch() throws IOException {
    int limit = Math.min(BATCH_LINES, availableCredit());
    if (limit <= 0) {
      return false;
    }
    AppLog.Page page = page(limit);
    if (page == null) {
      return false;
    }
    boolean moved = !page.next().equals(position);
    position = page.next();
    boolean drained = book.drained(this);
    if (page.lines().isEmpty() && (!drained || saidDrained)) {
      saidDrained &= drained;
      return moved;
    }
    saidDrained = drained;
    takeCredit(page.lines().size());
    to.accept(
        LogBatch.newBuilder()
            .setFollowId(request.getFollowId())
            .addAllLines(page.lines())
            .setDrained(drained)
            .build());
    lastProgress = System.nanoTime();
    book.progressed(this);
    return true;
  }

  /** Null where lines that come next are not here any more: the reader is told, and that is all. */
  private AppLog.@Nullable Page page(int limit) throws IOException {
    AppLog log = book.kept(appId());
    AppLog.Here here = log == null ? AppLog.Here.NOTHING : log.here();
    if (begun == null) {
      begun = here;
      if (request.hasArchivedTo() && here.from() > request.getArchivedTo()) {
        return handOver(here.from());
      }
    }
    if (log == null) {
      return new AppLog.Page(List.of(), position());
    }
    AppLog.Position at = position;
    AppLog.Position from =
        at == null ? log.behind(request.getAfterTimeUs(), request.getAfterNumber()) : at;
    AppLog.Page page = log.read(from, limit, this::wants);
    AppLog.Here now = log.here();
    boolean lacks =
        now.removed() > begun.removed() && now.removed() >= (at == null ? -1 : from.segment());
    return lacks && request.hasArchivedTo() ? handOver(now.from()) : page;
  }

  private AppLog.@Nullable Page handOver(long heldFrom) {
    to.accept(
        LogBatch.newBuilder().setFollowId(request.getFollowId()).setHeldFrom(heldFrom).build());
    book.unfollow(request.getFollowId());
    return null;
  }
}
