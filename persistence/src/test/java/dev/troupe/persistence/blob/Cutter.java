package dev.troupe.persistence.blob;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A proxy before an HTTP server whose connections break after so many bytes of answers. */
final class Cutter implements AutoCloseable {

  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicInteger cuts = new AtomicInteger();
  private final URI server;
  private final long limitBytes;

  Cutter(String server, long limitBytes) throws IOException {
    this.server = URI.create(server);
    this.limitBytes = limitBytes;
    begin(
        () -> {
          while (true) {
            Socket client = listener.accept();
            begin(() -> serve(client));
          }
        });
  }

  String endpoint() {
    return "http://127.0.0.1:" + listener.getLocalPort();
  }

  int cuts() {
    return cuts.get();
  }

  private void serve(Socket client) throws IOException {
    try (client;
        Socket behind = new Socket(server.getHost(), server.getPort())) {
      begin(() -> client.getInputStream().transferTo(behind.getOutputStream()));
      InputStream answers = behind.getInputStream();
      OutputStream out = client.getOutputStream();
      byte[] buffer = new byte[8192];
      long passed = 0;
      for (int read = answers.read(buffer); read > 0; read = answers.read(buffer)) {
        out.write(buffer, 0, read);
        passed += read;
        if (passed > limitBytes) {
          cuts.incrementAndGet();
          break;
        }
      }
    }
  }

  /** What ends as a connection does. */
  @FunctionalInterface
  private interface Work {
    void run() throws IOException;
  }

  private void begin(Work work) {
    threads.execute(
        () -> {
          try {
            work.run();
          } catch (IOException closed) {
            // Then it is over.
          }
        });
  }

  @Override
  public void close() throws IOException {
    listener.close();
    threads.shutdownNow();
  }
}
