package dev.troupe.node.image.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A blob from the network that goes on from where it broke off. How often is bounded, and each time
 * that brought nothing is followed by a longer pause. Whether the pieces make up the blob is for
 * the reader's digest to say.
 */
final class ResumedInput extends InputStream {

  private static final int MOST_RESUMES = 20;
  private static final int MOST_WITHOUT_PROGRESS = 3;

  /** Asks for a blob from a place on. */
  @FunctionalInterface
  interface Source {
    InputStream from(long offset) throws IOException, InterruptedException;
  }

  private final Source source;
  private final Duration pause;
  private final Consumer<IOException> heard;
  private InputStream body;
  private long position;
  private long resumedAt = -1;
  private int resumes;
  private int withoutProgress;

  /**
   * One from its first byte.
   *
   * @param pause before it is asked for the rest; doubled as long as nothing comes
   * @param heard is told each break that is gone on from
   */
  ResumedInput(Source source, Duration pause, Consumer<IOException> heard)
      throws IOException, InterruptedException {
    this.source = source;
    this.pause = pause;
    this.heard = heard;
    this.body = source.from(0);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    while (true) {
      try {
        int read = body.read(bytes, offset, length);
        position += Math.max(0, read);
        return read;
      } catch (IOException broken) {
        resume(broken);
      }
    }
  }

  /** Goes on, or fails with what broke it. */
  private void resume(IOException broken) throws IOException {
    body.close();
    IOException last = broken;
    while (true) {
      withoutProgress = position > resumedAt ? 0 : withoutProgress + 1;
      resumedAt = position;
      if (++resumes > MOST_RESUMES || withoutProgress >= MOST_WITHOUT_PROGRESS) {
        throw last;
      }
      heard.accept(last);
      try {
        Thread.sleep(pause.multipliedBy(1L << withoutProgress));
        body = source.from(position);
        return;
      } catch (RegistryRefusal refused) {
        last.addSuppressed(refused);
        throw last;
      } catch (IOException again) {
        last = again;
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }
  }

  @Override
  public void close() throws IOException {
    body.close();
  }
}
