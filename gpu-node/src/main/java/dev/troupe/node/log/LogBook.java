package dev.troupe.node.log;

import dev.troupe.node.linux.FileTree;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogLine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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
  private final ContainerIndex containers;
  private final Map<String, App> apps = new HashMap<>();
  private final Map<String, Follower> followers = new HashMap<>();
  private @Nullable LogShipper shipper;
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
   * @param index of the containers that ran on this machine
   */
  public LogBook(Path directory, long limitBytes, ContainerIndex index) throws IOException {
    this.directory = directory;
    this.limitBytes = limitBytes;
    this.containers = index;
    Files.createDirectories(directory);
    goOnBehind(System.currentTimeMillis() * 1_000);
  }

  /**
   * Numbers and times go up over restarts, so that segments keep their order, also where the clock
   * was set back. A line has more than one byte, so a segment holds fewer lines than bytes.
   */
  private void goOnBehind(long now) throws IOException {
    long number = now;
    long time = now;
    for (Path app : apps(directory)) {
      for (Path file : AppLog.files(app)) {
        number = Math.max(number, AppLog.firstNumber(file) + Files.size(file));
        time = Math.max(time, Files.getLastModifiedTime(file).toMillis() * 1_000);
      }
    }
    numbers.set(number);
    lastTime.set(time);
  }

  private static List<Path> apps(Path directory) throws IOException {
    try (Stream<Path> folders = Files.list(directory)) {
      return folders.filter(Files::isDirectory).toList();
    }
  }

  /** What is kept from now on is sent by this one. */
  synchronized void shipWith(LogShipper to) {
    shipper = to;
  }

  /** All logs of which there is something. */
  List<String> logs() throws IOException {
    return apps(directory).stream().map(app -> app.getFileName().toString()).toList();
  }

  /** What of a log the archive does not have. */
  List<AppLog.Parcel> unshipped(String appId) throws IOException {
    AppLog log = kept(appId);
    return log == null ? List.of() : log.unshipped();
  }

  /** The archive has this of a log. */
  synchronized void shipped(String appId, AppLog.Parcel parcel) throws IOException {
    AppLog log = kept(appId);
    if (log != null) {
      log.shipped(parcel);
    }
  }

  private void write(String appId, App app, List<LogLine> lines) throws IOException {
    boolean full = app.log.append(lines);
    if (shipper != null) {
      shipper.grew(appId);
      if (full) {
        shipper.filled(appId);
      }
    }
  }

  /** A container of an app is about to print. */
  public synchronized void containerBegins(String appId, String taskId, String functionId)
      throws IOException {
    app(appId).containers.put(taskId, List.of());
    containers.begins(taskId, appId, functionId);
    wake(appId);
  }

  /** These pipes are the container's, and are held back when it floods. */
  public synchronized void containerPrints(
      String appId, String taskId, List<Pipes.Reading> readings) throws IOException {
    app(appId).containers.put(taskId, List.copyOf(readings));
  }

  /** All that the container printed has been appended. */
  public synchronized void containerEnded(String appId, String taskId) {
    containers.ended(taskId);
    App app = apps.get(appId);
    if (app != null && app.containers.remove(taskId) != null) {
      if (app.containers.isEmpty()) {
        closeFile(appId, app);
      }
      wake(appId);
    }
  }

  private static void closeFile(String appId, App app) {
    try {
      app.log.close();
    } catch (IOException failure) {
      LOG.warn("the log of {} can't be closed", appId, failure);
    }
  }

  /** Keeps lines that a container printed while it ran these inputs, and wakes who follows them. */
  public synchronized void append(Printer printer, HeldInputs.Held held, List<String> texts) {
    String appId = printer.appId();
    try {
      App app = app(appId);
      LogLine.Builder line =
          LogLine.newBuilder()
              .setStream(printer.stream())
              .setTaskId(printer.taskId())
              .setFunctionId(printer.functionId())
              .setInputId(held.inputId())
              .setCallId(held.callId());
      write(appId, app, texts.stream().map(text -> numbered(line.setText(text))).toList());
      wake(appId);
      holdBackIfNeeded(appId, app);
    } catch (IOException failure) {
      LOG.warn("output of {} was lost", printer.taskId(), failure);
    }
  }

  /** Who prints what to which stream: 1 stdout, 2 stderr. */
  public record Printer(String appId, String taskId, String functionId, int stream) {}

  /**
   * Keeps a line of a build, and gives it with its number.
   *
   * @param imageId of the image that is built: its log has that name
   */
  public synchronized LogLine keep(String imageId, String taskId, int stream, String text) {
    LogLine line = numbered(LogLine.newBuilder().setStream(stream).setText(text).setTaskId(taskId));
    try {
      write(imageId, app(imageId), List.of(line));
    } catch (IOException failure) {
      LOG.warn("a line of the build of {} was lost", imageId, failure);
    }
    return line;
  }

  /** A build of an image has ended. */
  public synchronized void buildEnded(String imageId) {
    App app = apps.remove(imageId);
    if (app != null) {
      closeFile(imageId, app);
    }
  }

  private LogLine numbered(LogLine.Builder line) {
    long now = System.currentTimeMillis() * 1_000;
    return line.setTimeUs(lastTime.accumulateAndGet(now, Math::max))
        .setNumber(numbers.incrementAndGet())
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

  /** What is kept of an app, to be read without a lock; null where nothing is. */
  synchronized @Nullable AppLog kept(String appId) throws IOException {
    return apps.containsKey(appId) || Files.exists(directory.resolve(appId))
        ? app(appId).log
        : null;
  }

  /** For a follower: whether nothing that it wants prints here, and nothing is left to read. */
  synchronized boolean drained(Follower follower) {
    App app = apps.get(follower.appId());
    return app == null
        || (!follower.waitsFor(app.containers.keySet())
            && app.log.bytesAfter(follower.position()) == 0);
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

  /** Forgets what was printed before {@code oldest}, and closes what nobody uses. */
  public void sweep(Instant oldest) throws IOException {
    containers.sweep(oldest);
    for (Path folder : apps(directory)) {
      sweep(folder, oldest);
    }
  }

  private synchronized void sweep(Path folder, Instant oldest) throws IOException {
    String appId = folder.getFileName().toString();
    App app = app(appId);
    app.log.removeBefore(oldest);
    boolean used =
        !app.containers.isEmpty()
            || app.log.isHeld()
            || followers.values().stream().anyMatch(follower -> follower.appId().equals(appId));
    if (!used) {
      app.log.close();
      apps.remove(appId);
      if (app.log.isEmpty()) {
        FileTree.delete(folder);
      }
    }
  }

  @Override
  public synchronized void close() throws IOException {
    unfollowAll();
    for (App app : apps.values()) {
      app.log.close();
    }
    containers.close();
  }
}
