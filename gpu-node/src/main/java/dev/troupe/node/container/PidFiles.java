package dev.troupe.node.container;

import static java.nio.file.StandardWatchEventKinds.ENTRY_CREATE;
import static java.nio.file.StandardWatchEventKinds.OVERFLOW;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The folder in which the runtime names the first process of each container once it exists, and
 * those who wait for one. One inotify watch for all; nothing polls.
 */
final class PidFiles implements AutoCloseable {

  private final Path directory;
  private final WatchService watch;
  private final Map<String, CompletableFuture<Void>> waiting = new ConcurrentHashMap<>();

  private PidFiles(Path directory, WatchService watch) {
    this.directory = directory;
    this.watch = watch;
  }

  static PidFiles in(Path directory) throws IOException {
    Files.createDirectories(directory);
    WatchService watch = directory.getFileSystem().newWatchService();
    directory.register(watch, ENTRY_CREATE);
    PidFiles files = new PidFiles(directory, watch);
    Thread.ofVirtual().name("container-starts").start(files::listen);
    return files;
  }

  /** The file that the runtime is to write for a container. */
  Path of(String name) {
    return directory.resolve(name);
  }

  /** The first process of a container, once its file is there. */
  int process(String name) throws IOException {
    return Integer.parseInt(Files.readString(of(name)).strip());
  }

  /** Done when the file is there; to be asked for before the runtime is started. */
  CompletableFuture<Void> appearance(String name) {
    return waiting.computeIfAbsent(name, _ -> new CompletableFuture<>());
  }

  void forget(String name) throws IOException {
    waiting.remove(name);
    Files.deleteIfExists(of(name));
  }

  private void listen() {
    try {
      while (true) {
        WatchKey key = watch.take();
        for (WatchEvent<?> event : key.pollEvents()) {
          if (event.kind() == OVERFLOW) {
            waiting.keySet().stream()
                .filter(name -> Files.exists(of(name)))
                .forEach(this::appeared);
          } else if (event.context() instanceof Path name) {
            appeared(name.toString());
          }
        }
        key.reset();
      }
    } catch (ClosedWatchServiceException | InterruptedException closed) {
      // The driver was closed.
    }
  }

  private void appeared(String name) {
    CompletableFuture<Void> waiter = waiting.get(name);
    if (waiter != null) {
      waiter.complete(null);
    }
  }

  @Override
  public void close() {
    try {
      watch.close();
    } catch (IOException alreadyGone) {
      // Nothing more comes from it either way.
    }
  }
}
