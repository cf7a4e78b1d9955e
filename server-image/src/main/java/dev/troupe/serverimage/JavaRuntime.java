package dev.troupe.serverimage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import java.util.spi.ToolProvider;

/** A Java runtime with what the server needs, made of this JDK by jlink. */
final class JavaRuntime {

  private static final String MODULES =
      "java.se,jdk.crypto.ec,jdk.jcmd,jdk.jfr,jdk.management,jdk.management.agent,jdk.naming.dns,"
          + "jdk.net,jdk.security.auth,jdk.unsupported,jdk.zipfs";

  private JavaRuntime() {}

  /** The one in this folder, made where this JDK has none there yet. */
  static Path in(Path folder) throws IOException {
    Path made = folder.resolve("java-" + Runtime.version().toString().replaceAll("[^0-9.]", "-"));
    if (Files.isDirectory(made)) {
      return made;
    }
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(() -> new IOException("this JDK has no jlink; give a runtime by --java"));
    Files.createDirectories(folder);
    Path aside = folder.resolve("java-" + UUID.randomUUID());
    int status =
        jlink.run(
            System.out,
            System.err,
            "--add-modules=" + MODULES,
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--output=" + aside);
    if (status != 0) {
      throw new IOException("jlink ended with " + status);
    }
    return Files.move(aside, made, StandardCopyOption.ATOMIC_MOVE);
  }
}
