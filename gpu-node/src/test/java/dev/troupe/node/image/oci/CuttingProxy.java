package dev.troupe.node.image.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Stands before a server and cuts each connection after a number of bytes from it. */
final class CuttingProxy implements AutoCloseable {

  private final ServerSocket door;
  private final String host;
  private final int port;
  private final long longest;
  private final AtomicInteger cuts = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  private CuttingProxy(ServerSocket door, String host, int port, long longest) {
    this.door = door;
    this.host = host;
    this.port = port;
    this.longest = longest;
  }

  static CuttingProxy before(String server, long longest) throws IOException {
    String[] parts = server.split(":", 2);
    CuttingProxy proxy =
        new CuttingProxy(
            new ServerSocket(0, 50, InetAddress.getLoopbackAddress()),
            parts[0],
            Integer.parseInt(parts[1]),
            longest);
    Thread.startVirtualThread(proxy::serve);
    return proxy;
  }

  String host() {
    return "127.0.0.1:" + door.getLocalPort();
  }

  int cuts() {
    return cuts.get();
  }

  /** All that came from the server. */
  long bytes() {
    return bytes.get();
  }

  private void serve() {
    while (!door.isClosed()) {
      try {
        Socket client = door.accept();
        Thread.startVirtualThread(() -> connect(client));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void connect(Socket client) {
    try (client;
        Socket server = new Socket(host, port)) {
      Thread.startVirtualThread(() -> pass(client, server, Long.MAX_VALUE));
      if (pass(server, client, longest) >= longest) {
        cuts.incrementAndGet();
      }
    } catch (IOException over) {
      // The test sees what became of it.
    }
  }

  private long pass(Socket from, Socket to, long most) {
    long passed = 0;
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[8192];
      for (int count = in.read(buffer); count >= 0 && passed < most; count = in.read(buffer)) {
        out.write(buffer, 0, count);
        out.flush();
        passed += count;
        if (most != Long.MAX_VALUE) {
          bytes.addAndGet(count);
        }
      }
    } catch (IOException over) {
      // Either side has gone.
    }
    return passed;
  }

  @Override
  public void close() throws IOException {
    door.close();
  }
}
