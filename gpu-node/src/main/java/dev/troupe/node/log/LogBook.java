package dev.troupe.node.log;

import dev.troupe.node.linux.FileTree;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogLine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logs of all apps on this machine: numbers lines, keeps them, and sends them to those who
 * follow, as fast as each gives credit. Nothing waits in memory: a follower reads the kept lines. A
 * container that prints faster than its live followers read is held back at its pipe.
 */
public final class LogBook implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LogBook.class);

  /** An app's output is held back while a live follower is this far behind. */
  private static final long HOLD_BYTES = 8L << 20;

  /** A follower that took nothing for this long holds nobody back. */
  private static final long STALLED_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Path directory;
  private final long limitBytes;
  private final Map<String, App> apps = new HashMap<>();
  private final Map<String, Follower> followers = new HashMap<>();
  private final AtomicLong numbers = new AtomicLong();
  private final AtomicLong lastTime = new AtomicLong();

  /** One app: what was printed, who prints, who follows. */
  private static final class App {
    private final AppLog log;
    private final Map<String, List<Pipes.Reading>> containers = new HashMap<>();
    private boolean held;

    private App(AppLog log) {
      this.log = log;
    }
  }

  /**
   * @param directory a folder an app is made in it
   * @param limitBytes kept of each app
   */
  public LogBook(Path directory, long limitBytes) throws IOException {
    this.directory = directory;
    this.limitBytes = limitBytes;
    Files.createDirectories(directory);
    // Numbers go up over restarts, so that segments keep their order.
    numbers.set(System.currentTimeMillis() * 1_000);
  }

  /** A container of an app is about to print. */
  public synchronized void containerBegins(String appId, String taskId) throws IOException {
    app(appId).containers.put(taskId, List.of());
    wake(appId);
  }

  /** These pipes are the container's, and are held back when it floods. */
  public synchronized void containerPrints(
      String appId, String taskId, List<Pipes.Reading> readings) throws IOException {
    app(appId).containers.put(taskId, List.copyOf(readings));
  }

  /** All that the container printed has been appended. */
  public synchronized void containerEnded(String appId, String taskId) {
    App app = apps.get(appId);
    if (app != null) {
      app.containers.remove(taskId);
      wake(appId);
    }
  }

  /** Keeps lines and wakes who follows them. */
  public synchronized void append(
      String appId, String taskId, String functionId, int stream, List<String> texts) {
    try {
      App app = app(appId);
      app.log.append(texts.stream().map(text -> line(taskId, functionId, stream, text)).toList());
      wake(appId);
      holdBackIfNeeded(appId, app);
    } catch (IOException failure) {
      LOG.warn("output of {} was lost", taskId, failure);
    }
  }

  /** A numbered line of now. */
  public LogLine line(String taskId, String functionId, int stream, String text) {
    long now = System.currentTimeMillis() * 1_000;
    long time = lastTime.accumulateAndGet(now, Math::max);
    return LogLine.newBuilder()
        .setTimeUs(time)
        .setNumber(numbers.incrementAndGet())
        .setStream(stream)
        .setText(text)
        .setTaskId(taskId)
        .setFunctionId(functionId)
        .build();
  }

  /** Begins to send an app's lines: kept ones, then live ones. A repeat begins anew. */
  public synchronized void follow(FollowLogs request, Consumer<LogBatch> to) {
    unfollow(request.getFollowId());
    Follower follower = new Follower(this, request, to);
    followers.put(request.getFollowId(), follower);
    follower.begin();
  }

  /** Lets a follower have more lines. */
  public synchronized void credit(String followId, int lines) {
    Follower follower = followers.get(followId);
    if (follower != null) {
      follower.credit(lines);
    }
  }

  /** Ends a follower; one that is unknown is fine. */
  public synchronized void unfollow(String followId) {
    Follower follower = followers.remove(followId);
    if (follower != null) {
      follower.end();
      releaseIfPossible(follower.appId());
    }
  }

  /** Ends all of them: the link they were sent over is gone. */
  public synchronized void unfollowAll() {
    List.copyOf(followers.keySet()).forEach(this::unfollow);
  }

  /** For a follower: the next lines of its app. */
  synchronized AppLog.Page read(Follower follower, int limit) throws IOException {
    String appId = follower.appId();
    if (!apps.containsKey(appId) && !Files.exists(directory.resolve(appId))) {
      return new AppLog.Page(List.of(), follower.position());
    }
    return app(appId).log.read(follower.position(), limit, follower::wants);
  }

  /** For a follower: whether nothing of the app prints here, and nothing is left to read. */
  synchronized boolean drained(Follower follower) {
    App app = apps.get(follower.appId());
    return app == null
        || (app.containers.isEmpty() && app.log.bytesAfter(follower.position()) == 0);
  }

  /** For a follower: it has moved on. */
  synchronized void progressed(Follower follower) {
    releaseIfPossible(follower.appId());
  }

  private App app(String appId) throws IOException {
    App app = apps.get(appId);
    if (app == null) {
      app = new App(new AppLog(directory.resolve(appId), limitBytes));
      apps.put(appId, app);
    }
    return app;
  }

  private void wake(String appId) {
    for (Follower follower : followers.values()) {
      if (follower.appId().equals(appId)) {
        follower.wake();
      }
    }
  }

  private boolean someoneIsBehind(String appId, App app) {
    long now = System.nanoTime();
    return followers.values().stream()
        .filter(follower -> follower.appId().equals(appId))
        .filter(follower -> now - follower.lastProgress() < STALLED_NANOS)
        .anyMatch(follower -> app.log.bytesAfter(follower.position()) > HOLD_BYTES);
  }

  private void holdBackIfNeeded(String appId, App app) {
    if (!app.held && someoneIsBehind(appId, app)) {
      app.held = true;
      app.containers.values().forEach(readings -> readings.forEach(Pipes.Reading::hold));
      // The follower may never read again: then it counts as stalled, and printing goes on.
      CompletableFuture.delayedExecutor(STALLED_NANOS, TimeUnit.NANOSECONDS)
          .execute(() -> lookAgain(appId));
    }
  }

  private synchronized void lookAgain(String appId) {
    App app = apps.get(appId);
    if (app != null && app.held) {
      releaseIfPossible(appId);
      if (app.held) {
        CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS).execute(() -> lookAgain(appId));
      }
    }
  }

  private void releaseIfPossible(String appId) {
    App app = apps.get(appId);
    if (app != null && app.held && !someoneIsBehind(appId, app)) {
      app.held = false;
      app.containers.values().forEach(readings -> readings.forEach(Pipes.Reading::resume));
    }
  }

  /** Forgets an app's kept lines. */
  public synchronized void forget(String appId) throws IOException {
    App app = apps.remove(appId);
    if (app != null) {
      app.log.close();
    }
    FileTree.delete(directory.resolve(appId));
  }

  @Override
  public synchronized void close() throws IOException {
    unfollowAll();
    for (App app : apps.values()) {
      app.log.close();
    }
  }
}
