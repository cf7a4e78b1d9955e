package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.node.linux.Command;
import dev.troupe.node.linux.Posix;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers on a real disk. Needs root, for owners, devices and overlays. */
@Tag("machine")
class LayerUnpackerTest {

  private static final LayerUnpacker.Limits LIMITS = new LayerUnpacker.Limits(1 << 20, 1000);

  @TempDir private Path directory = Path.of("unset");
  private Path layer = Path.of("unset");
  private final List<String> log = new ArrayList<>();

  @BeforeEach
  void makeFolder() throws IOException {
    layer = Files.createDirectory(directory.resolve("layer"));
  }

  private void unpack(TarMaker tar) throws IOException {
    unpack(tar.bytes());
  }

  private void unpack(byte[] tar) throws IOException {
    LayerUnpacker.unpack(new ByteArrayInputStream(tar), layer, LIMITS, log::add);
  }

  private Object attribute(String name, String attribute) throws IOException {
    return Files.getAttribute(layer.resolve(name), attribute, LinkOption.NOFOLLOW_LINKS);
  }

  private static String extendedAttribute(Path file, String name) throws IOException {
    return Command.run(
            Duration.ofSeconds(10),
            "python3",
            "-c",
            "import os, sys; print(os.getxattr(sys.argv[1], sys.argv[2], follow_symlinks=False).hex())",
            file.toString(),
            name)
        .strip();
  }

  @Test
  void filesFoldersAndLinksAreThoseOfTheTar() throws IOException {
    unpack(
        new TarMaker()
            .folder("./usr/")
            .folder("usr/bin", TarMaker.like(0751, 3, 4))
            .file("usr/bin/su", "program", TarMaker.like(04755, 1, 2))
            .symlink("usr/bin/link", "/etc/passwd")
            .hardLink("usr/bin/again", "./usr/bin/su")
            .entry("pipe", TarConstants.LF_FIFO, "", TarMaker.like(0620, 5, 6)));

    assertThat(layer.resolve("usr/bin/su")).content().isEqualTo("program");
    assertThat(attribute("usr/bin/su", "unix:mode")).isEqualTo(0104755);
    assertThat(attribute("usr/bin/su", "unix:uid")).isEqualTo(1);
    assertThat(attribute("usr/bin/su", "unix:gid")).isEqualTo(2);
    assertThat(attribute("usr/bin/su", "unix:nlink")).isEqualTo(2);
    assertThat(attribute("usr/bin/again", "unix:ino"))
        .isEqualTo(attribute("usr/bin/su", "unix:ino"));
    assertThat(attribute("usr/bin", "unix:mode")).isEqualTo(040751);
    assertThat(Files.readSymbolicLink(layer.resolve("usr/bin/link"))).hasToString("/etc/passwd");
    assertThat(attribute("pipe", "unix:mode")).isEqualTo(010620);
    for (String name : List.of("usr/bin", "usr/bin/su", "usr/bin/link", "pipe")) {
      assertThat(
              Files.getLastModifiedTime(layer.resolve(name), LinkOption.NOFOLLOW_LINKS).toInstant())
          .as(name)
          .isEqualTo(TarMaker.TIME);
    }
  }

  @Test
  void namesAreUtf8WhateverTheLocale() throws IOException {
    unpack(new TarMaker().file("Főtanúsítvány.crt", "x").folder("тест").file("тест/файл", "y"));

    assertThat(Command.run(Duration.ofSeconds(10), "ls", "-1", "-N", layer.toString()))
        .isEqualTo("Főtanúsítvány.crt\nтест\n");
  }

  @Test
  void marksOfDeletedNamesHideWhatIsBelowInAnOverlay() throws IOException {
    Path lower = Files.createDirectory(directory.resolve("lower"));
    for (String name :
        List.of("gone", "kept", "emptied/a", "emptied/b", "replaced/old", "again/x")) {
      Files.createDirectories(lower.resolve(name).getParent());
      Files.writeString(lower.resolve(name), "lower");
    }
    unpack(
        new TarMaker()
            .file(".wh.gone", "")
            .folder("emptied")
            .file("emptied/new", "upper")
            .file("emptied/.wh..wh..opq", "")
            .file(".wh.replaced", "")
            .folder("replaced")
            .file("replaced/new", "upper")
            .folder("again")
            .file("again/y", "upper")
            .file(".wh.again", "")
            .file(".wh..wh.plnk", ""));

    Path merged = Files.createDirectory(directory.resolve("merged"));
    Posix.mount("overlay", merged.toString(), "overlay", "lowerdir=" + layer + ":" + lower);
    try (var files = Files.walk(merged)) {
      assertThat(files.filter(Files::isRegularFile).map(file -> merged.relativize(file).toString()))
          .containsExactlyInAnyOrder("kept", "emptied/new", "replaced/new", "again/y");
    } finally {
      Posix.unmount(merged.toString());
    }
  }

  @Test
  void attributesOfFilesAreKeptAndThoseOfTheOverlayAreNot() throws IOException {
    // As setcap writes them: cap_setuid+ep, whose bits are no text.
    byte[] capability = {1, 0, 0, 2, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    tar.writeBytes(
        TarMaker.rawEntry(
            "headers",
            TarConstants.LF_PAX_EXTENDED_HEADER_LC,
            TarMaker.paxRecord("SCHILY.xattr.security.capability", capability)));
    tar.writeBytes(TarMaker.rawEntry("newuidmap", TarConstants.LF_NORMAL, new byte[] {'x'}));
    tar.writeBytes(
        new TarMaker()
            .folder("plain", TarMaker.attribute("user.word", "kept"))
            .folder("hides", TarMaker.attribute("trusted.overlay.opaque", "y"))
            .folder("leads", TarMaker.attribute("trusted.overlay.redirect", "/etc"))
            .folder("seems", TarMaker.attribute("user.overlay.opaque", "y"))
            .bytes());

    unpack(tar.toByteArray());

    assertThat(extendedAttribute(layer.resolve("newuidmap"), "security.capability"))
        .isEqualTo("0100000280000000000000000000000000000000");
    assertThat(extendedAttribute(layer.resolve("plain"), "user.word")).isEqualTo("6b657074");
    for (String name : List.of("hides", "leads", "seems")) {
      assertThatThrownBy(() -> extendedAttribute(layer.resolve(name), "trusted.overlay.opaque"))
          .hasMessageContaining("No data available");
    }
    assertThat(log).hasSize(3).allMatch(line -> line.startsWith("left out: the attribute "));
  }

  @Test
  void onlyDevicesOfEveryContainerComeAndNoneIsAMark() throws IOException {
    unpack(
        new TarMaker()
            .device("null", TarConstants.LF_CHR, 1, 3)
            .device("mark", TarConstants.LF_CHR, 0, 0)
            .device("memory", TarConstants.LF_CHR, 1, 1)
            .device("disk", TarConstants.LF_BLK, 8, 0));

    assertThat(attribute("null", "unix:rdev")).isEqualTo(0x103L);
    try (var files = Files.list(layer)) {
      assertThat(files).containsExactly(layer.resolve("null"));
    }
    assertThat(log).hasSize(3);
  }

  @Test
  void aLaterEntryReplacesAnEarlierOne() throws IOException {
    unpack(
        new TarMaker()
            .folder("a")
            .file("a/deep", "x")
            .file("a", "a file now")
            .file("b", "x")
            .folder("b")
            .file("b/inner", "y")
            .symlink("c", "b")
            .file("c", "no link")
            .folder("d")
            .file("d/one", "1")
            .folder("d", TarMaker.like(0700, 7, 7)));

    assertThat(layer.resolve("a")).content().isEqualTo("a file now");
    assertThat(layer.resolve("b/inner")).content().isEqualTo("y");
    assertThat(Files.isSymbolicLink(layer.resolve("c"))).isFalse();
    assertThat(layer.resolve("d/one")).content().isEqualTo("1");
    assertThat(attribute("d", "unix:mode")).isEqualTo(040700);
  }

  @Test
  void aLinkOnTheWayLeadsNowhereButIntoTheLayer() throws IOException {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    unpack(
        new TarMaker()
            .folder("usr/lib")
            .symlink("lib", "usr/lib")
            .file("lib/inside", "1")
            .symlink("absolute", outside.toString())
            .symlink("up", "../../../../../../../../usr/lib")
            .file("up/climbed", "2")
            .symlink("self", "self"));

    assertThat(layer.resolve("usr/lib/inside")).content().isEqualTo("1");
    assertThat(layer.resolve("usr/lib/climbed")).content().isEqualTo("2");
    assertThat(outside).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../escaped", "a/../../escaped", "/../escaped", "..", "a/..", "./../escaped"})
  void aNameThatLeadsUpIsRefused(String name) {
    assertThatThrownBy(() -> unpack(new TarMaker().folder("a").file(name, "x")))
        .isInstanceOf(MalformedLayer.class)
        .hasMessageContaining("leads out of the layer");
    assertThat(directory.resolve("escaped")).doesNotExist();
  }

  @Test
  void whatIsMadeThroughALinkToTheOutsideIsRefusedOrStaysInside() throws IOException {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Files.writeString(outside.resolve("victim"), "untouched");
    List<TarMaker> hostile =
        List.of(
            new TarMaker().symlink("x", outside.toString()).file("x/victim", "changed"),
            new TarMaker().symlink("x", "../outside").file("x/victim", "changed"),
            new TarMaker().symlink("x", outside + "/victim").file("x", "changed"),
            new TarMaker().hardLink("x", outside + "/victim").file("x", "changed"),
            new TarMaker().hardLink("x", "../outside/victim"),
            new TarMaker().symlink("x", outside.toString()).hardLink("y", "x/victim"),
            new TarMaker().symlink("x", outside.toString()).file("x/.wh.victim", ""),
            new TarMaker().symlink("x", outside.toString()).file("x/.wh..wh..opq", ""),
            new TarMaker().symlink("x", outside.toString()).folder("x", TarMaker.like(0777, 9, 9)),
            new TarMaker().symlink("x", outside.toString()).symlink("x/made", "/"),
            new TarMaker().symlink("x", "y").symlink("y", outside.toString()).file("x/made", ""));

    for (TarMaker tar : hostile) {
      try {
        unpack(tar);
      } catch (IOException refused) {
        assertThat(refused).isInstanceOf(MalformedLayer.class);
      }
    }

    assertThat(outside.resolve("victim")).content().isEqualTo("untouched");
    assertThat(Files.getAttribute(outside.resolve("victim"), "unix:nlink")).isEqualTo(1);
    assertThat(Files.getAttribute(outside, "unix:uid")).isEqualTo(0);
    try (var files = Files.list(outside)) {
      assertThat(files).containsExactly(outside.resolve("victim"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {".wh.", ".wh..", ".wh...", "a/.wh..."})
  void aMarkOfNoNameIsRefused(String name) {
    assertThatThrownBy(() -> unpack(new TarMaker().file(name, "")))
        .isInstanceOf(MalformedLayer.class)
        .hasMessageContaining("marks no name");
  }

  @Test
  void limitsHoldForLengthsNumbersAndHeaders() {
    assertThatThrownBy(() -> unpack(new TarMaker().file("big", "x".repeat((1 << 20) + 1))))
        .isInstanceOf(MalformedLayer.class)
        .hasMessageContaining("troupe.images.layer-limit");
    TarMaker many = new TarMaker();
    for (int i = 0; i <= 1000; i++) {
      many.file("f" + i, "");
    }
    assertThatThrownBy(() -> unpack(many)).hasMessageContaining("more than 1000 entries");
    byte[] longName =
        TarMaker.rawEntry(
            "././@LongLink",
            TarConstants.LF_GNUTYPE_LONGNAME,
            "a/".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> unpack(longName)).hasMessageContaining("longer than 1 MiB");
  }

  @Test
  void anEndlessTarEndsAtTheLimit() {
    InputStream endless =
        new InputStream() {
          private final byte[] header = TarMaker.rawEntry("x", TarConstants.LF_NORMAL, new byte[0]);
          private long at;

          @Override
          public int read(byte[] bytes, int offset, int length) {
            for (int i = 0; i < length; i++) {
              bytes[offset + i] = (byte) read();
            }
            return length;
          }

          @Override
          public int read() {
            return header[(int) (at++ % header.length)] & 0xff;
          }
        };

    assertThatThrownBy(() -> LayerUnpacker.unpack(endless, layer, LIMITS, log::add))
        .hasMessageContaining("more than 1000 entries");
  }
}
