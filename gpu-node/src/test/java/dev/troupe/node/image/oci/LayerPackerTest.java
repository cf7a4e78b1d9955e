package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.node.linux.Command;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs root, for owners and devices. */
@Tag("machine")
class LayerPackerTest {

  private static final LayerUnpacker.Limits LIMITS = new LayerUnpacker.Limits(1 << 20, 1000);

  /**
   * All that a layer can hold, as one line a name: type, rights, owners, time, links, content; a
   * whiteout has no time of its own.
   */
  private static final String LOOK =
      """
      import os, stat, sys
      root = sys.argv[1].encode()
      for folder, folders, files in sorted(os.walk(root)):
        for name in sorted(folders + files):
          path = os.path.join(folder, name)
          s = os.lstat(path)
          content = b""
          if stat.S_ISLNK(s.st_mode): content = os.readlink(path)
          elif stat.S_ISREG(s.st_mode): content = open(path, "rb").read()
          attributes = {a: os.getxattr(path, a, follow_symlinks=False) for a in sorted(os.listxattr(path, follow_symlinks=False))}
          print(os.path.relpath(path, root), oct(s.st_mode), s.st_uid, s.st_gid, s.st_rdev,
            int(s.st_mtime) if s.st_rdev or not stat.S_ISCHR(s.st_mode) else "", s.st_nlink if not stat.S_ISDIR(s.st_mode) else 0, content, attributes)
      """;

  @TempDir private Path directory = Path.of("unset");

  private static String look(Path folder) throws IOException {
    return Command.run(Duration.ofSeconds(20), "python3", "-c", LOOK, folder.toString());
  }

  private Path unpacked(byte[] tar, String name) throws IOException {
    Path folder = Files.createDirectory(directory.resolve(name));
    LayerUnpacker.unpack(new ByteArrayInputStream(tar), folder, LIMITS, _ -> {});
    return folder;
  }

  private static byte[] packed(Path folder) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    LayerPacker.pack(folder, tar);
    return tar.toByteArray();
  }

  @Test
  void whatIsPackedUnpacksToTheSameFolder() throws IOException {
    String longName = "long/".repeat(60) + "name";
    Path first =
        unpacked(
            new TarMaker()
                .folder("usr", TarMaker.like(01777, 3, 4))
                .file("usr/su", "program", TarMaker.like(04755, 70_000, 5_000_000))
                .hardLink("usr/again", "usr/su")
                .symlink("usr/link", "/" + longName)
                .symlink("тест", "Főtanúsítvány")
                .file("Főtanúsítvány", "утф")
                .file(longName, "deep")
                .file("attribute", "x", TarMaker.attribute("user.word", "value"))
                .entry("pipe", TarConstants.LF_FIFO, "", TarMaker.like(0620, 5, 6))
                .device("null", TarConstants.LF_CHR, 1, 3)
                .file(".wh.gone", "")
                .folder("emptied")
                .file("emptied/.wh..wh..opq", "")
                .file("emptied/new", "x")
                .bytes(),
            "first");
    // An attribute whose value is no text.
    Command.run(
        Duration.ofSeconds(10),
        "python3",
        "-c",
        "import os, sys; os.setxattr(sys.argv[1], 'security.capability', bytes.fromhex('0100000280000000000000000000000000000000'))",
        first.resolve("attribute").toString());
    Files.setLastModifiedTime(
        first.resolve("attribute"), java.nio.file.attribute.FileTime.from(TarMaker.TIME));

    byte[] tar = packed(first);
    Path second = unpacked(tar, "second");

    assertThat(look(second)).isEqualTo(look(first)).contains("\\x80");
    assertThat(packed(second)).as("the same bytes").isEqualTo(tar);
  }

  @Test
  void otherToolsReadIt() throws IOException {
    Path folder =
        unpacked(
            new TarMaker()
                .folder("a")
                .file("a/" + "x".repeat(150), "1")
                .file("a/имя", "2")
                .hardLink("a/twice", "a/имя")
                .symlink("link", "y".repeat(140))
                .bytes(),
            "first");
    Path file = directory.resolve("layer.tar");
    Files.write(file, packed(folder));
    Path other = Files.createDirectory(directory.resolve("other"));

    Command.run(Duration.ofSeconds(10), "tar", "-x", "-f", file.toString(), "-C", other.toString());

    assertThat(look(other)).isEqualTo(look(folder));
  }
}
