package dev.troupe.node.image.oci;

import java.util.Locale;

/** What an image is made for, in the words of OCI. */
record Platform(String system, String architecture) {

  /** That of this machine. */
  static Platform ofThisMachine() {
    String architecture = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    return new Platform(
        "linux",
        switch (architecture) {
          case "amd64", "x86_64" -> "amd64";
          case "aarch64", "arm64" -> "arm64";
          default -> architecture;
        });
  }

  @Override
  public String toString() {
    return system + "/" + architecture;
  }
}
