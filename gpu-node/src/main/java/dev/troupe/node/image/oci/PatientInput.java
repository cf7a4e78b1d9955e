package dev.troupe.node.image.oci;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A body from the network that ends with a failure once nothing came for a while. */
final class PatientInput extends FilterInputStream {

  private static final ScheduledExecutorService WATCH =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("registry-watch").factory());
  private static final long NOT_WAITING = Long.MAX_VALUE;

  private final long patienceNanos;
  private final ScheduledFuture<?> watching;
  private volatile long waitingSince = NOT_WAITING;
  private volatile boolean gaveUp;

  PatientInput(InputStream body, Duration patience) {
    super(body);
    this.patienceNanos = patience.toNanos();
    long period = Math.max(1, patience.toMillis() / 4);
    this.watching = WATCH.scheduleWithFixedDelay(this::look, period, period, TimeUnit.MILLISECONDS);
  }

  private void look() {
    long since = waitingSince;
    if (since != NOT_WAITING && System.nanoTime() - since > patienceNanos) {
      gaveUp = true;
      try {
        in.close();
      } catch (IOException already) {
        // The reader hears of it in any case.
      }
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    waitingSince = System.nanoTime();
    try {
      return super.read(bytes, offset, length);
    } catch (IOException broken) {
      throw gaveUp
          ? new IOException(
              "nothing came for " + TimeUnit.NANOSECONDS.toSeconds(patienceNanos) + " s")
          : broken;
    } finally {
      waitingSince = NOT_WAITING;
    }
  }

  @Override
  public void close() throws IOException {
    watching.cancel(false);
    super.close();
  }
}
