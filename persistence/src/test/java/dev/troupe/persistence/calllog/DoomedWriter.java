package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.get;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.CallId;
import dev.troupe.persistence.Persistence;
import dev.troupe.persistence.PersistenceSettings;
import dev.troupe.persistence.Postgres;
import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;

/**
 * The process that {@link KillTest} kills: writes to every store of a data directory until then,
 * and says on standard output what was acknowledged, a line each. Arguments: the data directory, a
 * word that is new in each run, and the URL of a PostgreSQL store or nothing.
 */
final class DoomedWriter {

  private static final int IN_FLIGHT = 40;

  public static void main(String[] arguments) throws Exception {
    PersistenceSettings settings =
        arguments.length == 2
            ? Rows.settings()
            : Postgres.settings(arguments[2], Postgres.PASSWORD);
    Persistence persistence = Persistence.start(settings, Path.of(arguments[0]));
    PrintStream out = System.out;
    Thread others = Thread.ofPlatform().start(() -> writeOthers(persistence, arguments[1], out));
    writeCalls(persistence, arguments[1], out);
    others.join();
  }

  private static void writeCalls(Persistence persistence, String run, PrintStream out)
      throws InterruptedException {
    var log = persistence.callLog();
    CallId call = call(F, run);
    long epoch = get(log.claim(F));
    get(log.write(F, epoch, List.of(Rows.newCall(call, -1))));
    out.println("epoch " + epoch);
    Semaphore window = new Semaphore(IN_FLIGHT);
    for (int i = 0; ; i++) {
      window.acquire();
      int index = i;
      log.write(F, epoch, List.of(Rows.newInput(call, index, index)))
          .thenCompose(
              _ ->
                  log.write(
                      F, epoch, List.of(new LogWrite.Finished(Rows.output(call, index, index)))))
          .whenComplete(
              (written, _) -> {
                if (written instanceof Written.Done) {
                  out.println("output " + index);
                }
                window.release();
              });
    }
  }

  private static void writeOthers(Persistence persistence, String run, PrintStream out) {
    try {
      for (int i = 0; ; i++) {
        String name = run + "-" + i;
        get(
            persistence
                .directory()
                .put(new Entry(Kind.APP, "main", name, "ap-" + i, Rows.T0, Map.of("run", run))));
        out.println("name " + name);
        persistence
            .blobs()
            .putPayload(
                Rows.blob(name), new ByteArrayInputStream(name.repeat(999).getBytes(UTF_8)));
        out.println("blob " + name);
      }
    } catch (java.io.IOException failure) {
      throw new java.io.UncheckedIOException(failure);
    }
  }

  private DoomedWriter() {}
}
