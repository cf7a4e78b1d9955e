package dev.troupe.node.image.oci;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Tars of layers, entry by entry, whatever they may be good for. */
final class TarMaker {

  static final Instant TIME = Instant.ofEpochSecond(1_600_000_000);

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar =
      new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name());

  TarMaker() {
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
  }

  TarMaker file(String name, String content) {
    return file(name, content, entry -> entry);
  }

  TarMaker file(String name, String content, UnaryOperator<TarArchiveEntry> change) {
    return entry(name, TarConstants.LF_NORMAL, content, change);
  }

  TarMaker folder(String name) {
    return folder(name, entry -> entry);
  }

  TarMaker folder(String name, UnaryOperator<TarArchiveEntry> change) {
    return entry(
        name,
        TarConstants.LF_DIR,
        "",
        entry -> {
          entry.setMode(0755);
          return change.apply(entry);
        });
  }

  TarMaker symlink(String name, String target) {
    return link(name, TarConstants.LF_SYMLINK, target);
  }

  TarMaker hardLink(String name, String target) {
    return link(name, TarConstants.LF_LINK, target);
  }

  TarMaker device(String name, byte kind, int major, int minor) {
    return entry(
        name,
        kind,
        "",
        entry -> {
          entry.setDevMajor(major);
          entry.setDevMinor(minor);
          return entry;
        });
  }

  private TarMaker link(String name, byte kind, String target) {
    return entry(
        name,
        kind,
        "",
        entry -> {
          entry.setLinkName(target);
          return entry;
        });
  }

  TarMaker entry(String name, byte kind, String content, UnaryOperator<TarArchiveEntry> change) {
    try {
      byte[] data = content.getBytes(StandardCharsets.UTF_8);
      TarArchiveEntry entry = new TarArchiveEntry(name, kind, true);
      entry.setMode(0644);
      entry.setSize(data.length);
      entry.setLastModifiedTime(FileTime.from(TIME));
      tar.putArchiveEntry(change.apply(entry));
      tar.write(data);
      tar.closeArchiveEntry();
      return this;
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  static UnaryOperator<TarArchiveEntry> attribute(String name, String value) {
    return entry -> {
      entry.addPaxHeader("SCHILY.xattr." + name, value);
      return entry;
    };
  }

  static UnaryOperator<TarArchiveEntry> like(int mode, int owner, int group) {
    return entry -> {
      entry.setMode(mode);
      entry.setUserId(owner);
      entry.setGroupId(group);
      return entry;
    };
  }

  byte[] bytes() {
    try {
      tar.close();
      return bytes.toByteArray();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  static byte[] gzip(byte[] plain) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(plain);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return packed.toByteArray();
  }

  /** A record of a PAX header with a value that need be no text. */
  static byte[] paxRecord(String key, byte[] value) {
    int rest = 1 + key.length() + 1 + value.length + 1;
    int length = rest + 2;
    while (Integer.toString(length).length() + rest != length) {
      length = Integer.toString(length).length() + rest;
    }
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    record.writeBytes((length + " " + key + "=").getBytes(StandardCharsets.UTF_8));
    record.writeBytes(value);
    record.write('\n');
    return record.toByteArray();
  }

  /** The blocks of an entry, header first, without the end of a tar. */
  static byte[] rawEntry(String name, byte kind, byte[] data) {
    TarArchiveEntry entry = new TarArchiveEntry(name, kind, true);
    entry.setMode(0644);
    entry.setSize(data.length);
    byte[] header = new byte[512];
    entry.writeEntryHeader(header);
    ByteArrayOutputStream blocks = new ByteArrayOutputStream();
    blocks.writeBytes(header);
    blocks.writeBytes(data);
    blocks.writeBytes(new byte[(512 - data.length % 512) % 512]);
    return blocks.toByteArray();
  }

  static Map<String, Object> attributesOf(java.nio.file.Path file) throws IOException {
    return java.nio.file.Files.readAttributes(
        file, "unix:*", java.nio.file.LinkOption.NOFOLLOW_LINKS);
  }
}
