package dev.troupe.launcher;

import dev.troupe.cluster.Role;
import dev.troupe.launcher.rehearsal.Rehearsal;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/**
 * Starts all but the agent on an empty data directory, rehearses calls, and ends: the run that the
 * JVM's start cache is made from. The cache holds what was loaded and linked, and how often what
 * ran (its profile), so that a server just started is compiled as one that has run for a while.
 */
@Command(name = "rehearse", hidden = true, description = "Starts a server, tries it, ends it.")
final class Rehearse implements Callable<Integer> {

  @Override
  public Integer call() throws Exception {
    Path data = Files.createTempDirectory("troupe-rehearsal");
    try (EmbeddedServer server =
        EmbeddedServer.start(
            LauncherSettings.load(data, LauncherSettings.Listening.ANYWHERE, null, false),
            data,
            EnumSet.allOf(Role.class))) {
      String url = "http://127.0.0.1:" + server.address().getPort();
      ClientProfile.write(data, url, server.persistence().directory(), InstantSource.system());
      try (HttpClient client = HttpClient.newHttpClient()) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/healthz")).build();
        int status = client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
        if (status != 200) {
          return 1;
        }
      }
      ClientProfile.Token token = ClientProfile.token(data);
      Rehearsal.run(
          new Rehearsal.Stage(
              URI.create(url),
              token.id(),
              token.secret(),
              server.gateway().controlPlane(),
              server.gateway().containerDoor(),
              data));
      return 0;
    } finally {
      delete(data);
    }
  }

  private static void delete(Path folder) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes facts)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path emptied, @Nullable IOException failure)
              throws IOException {
            Files.delete(emptied);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
