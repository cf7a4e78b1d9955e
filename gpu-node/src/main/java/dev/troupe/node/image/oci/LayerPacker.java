package dev.troupe.node.image.oci;

import dev.troupe.node.linux.FileStatus;
import dev.troupe.node.linux.FolderHandle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Writes a layer's folder as the tar that it could have come from: what {@link LayerUnpacker} makes
 * of it is the folder again. The same folder gives the same bytes.
 */
final class LayerPacker {

  private static final String OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";
  private static final int NAME_FIELD = 100;
  private static final long LARGEST_OCTAL_SIZE = 0_77777777777L;

  private final TarArchiveOutputStream tar;

  /** The first name of each file that has several. */
  private final Map<Long, String> firstNames = new HashMap<>();

  private LayerPacker(TarArchiveOutputStream tar) {
    this.tar = tar;
  }

  /** Packs a folder. */
  static void pack(Path folder, OutputStream to) throws IOException {
    TarArchiveOutputStream tar = new TarArchiveOutputStream(to, StandardCharsets.UTF_8.name());
    // Headers of our own hold what does not fit; attributes are no text, which theirs must be.
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_TRUNCATE);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
    try (FolderHandle root = FolderHandle.open(folder)) {
      LayerPacker packer = new LayerPacker(tar);
      packer.folder(root, "");
      tar.finish();
    }
  }

  private void folder(FolderHandle folder, String prefix) throws IOException {
    for (String name : folder.names()) {
      FileStatus status = folder.status(name).orElseThrow();
      String path = prefix + name;
      switch (status.type()) {
        case FolderHandle.FOLDER -> {
          Map<String, byte[]> attributes = folder.attributes(name);
          put(entry(path + "/", TarConstants.LF_DIR, status), path + "/", "", attributes);
          if (attributes.containsKey(OPAQUE_ATTRIBUTE)) {
            mark(path + "/.wh..wh..opq");
          }
          try (FolderHandle below = folder.enter(name).orElseThrow()) {
            folder(below, path + "/");
          }
        }
        case FolderHandle.REGULAR -> file(folder, name, path, status);
        case FolderHandle.SYMLINK ->
            link(path, TarConstants.LF_SYMLINK, status, folder.linkTarget(name));
        case FolderHandle.PIPE ->
            put(entry(path, TarConstants.LF_FIFO, status), path, "", folder.attributes(name));
        case FolderHandle.CHARACTER_DEVICE -> {
          if (status.isWhiteout()) {
            mark(prefix + ".wh." + name);
          } else {
            TarArchiveEntry device = entry(path, TarConstants.LF_CHR, status);
            device.setDevMajor(status.deviceMajor());
            device.setDevMinor(status.deviceMinor());
            put(device, path, "", Map.of());
          }
        }
        default -> {
          // Sockets, which no tar can hold, and disks, which no layer may bring.
        }
      }
    }
  }

  private void file(FolderHandle folder, String name, String path, FileStatus status)
      throws IOException {
    if (status.links() > 1) {
      String first = firstNames.putIfAbsent(status.inode(), path);
      if (first != null) {
        link(path, TarConstants.LF_LINK, status, first);
        return;
      }
    }
    TarArchiveEntry entry = entry(path, TarConstants.LF_NORMAL, status);
    entry.setSize(status.size());
    header(entry, path, "", folder.attributes(name));
    try (InputStream content = folder.read(name)) {
      content.transferTo(tar);
    }
    tar.closeArchiveEntry();
  }

  private void link(String path, byte kind, FileStatus status, String target) throws IOException {
    TarArchiveEntry entry = entry(path, kind, status);
    entry.setLinkName(target);
    put(entry, path, target, Map.of());
  }

  private void mark(String path) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_NORMAL, true);
    entry.setLastModifiedTime(FileTime.fromMillis(0));
    put(entry, path, "", Map.of());
  }

  private static TarArchiveEntry entry(String path, byte kind, FileStatus status) {
    TarArchiveEntry entry = new TarArchiveEntry(path, kind, true);
    entry.setMode(status.mode() & 07777);
    entry.setUserId(Integer.toUnsignedLong(status.owner()));
    entry.setGroupId(Integer.toUnsignedLong(status.group()));
    entry.setUserName("");
    entry.setGroupName("");
    entry.setLastModifiedTime(FileTime.from(status.modified(), TimeUnit.SECONDS));
    return entry;
  }

  private void put(
      TarArchiveEntry entry, String path, String target, Map<String, byte[]> attributes)
      throws IOException {
    header(entry, path, target, attributes);
    tar.closeArchiveEntry();
  }

  private void header(
      TarArchiveEntry entry, String path, String target, Map<String, byte[]> attributes)
      throws IOException {
    Map<String, byte[]> records = new TreeMap<>();
    fits(path, "path", records);
    fits(target, "linkpath", records);
    if (entry.getSize() > LARGEST_OCTAL_SIZE) {
      records.put("size", Long.toString(entry.getSize()).getBytes(StandardCharsets.US_ASCII));
    }
    attributes.forEach(
        (name, value) -> {
          if (LayerUnpacker.mayCarry(name)) {
            records.put(LayerUnpacker.ATTRIBUTE_RECORD + name, value);
          }
        });
    if (!records.isEmpty()) {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      records.forEach((key, value) -> content.writeBytes(record(key, value)));
      TarArchiveEntry extended =
          new TarArchiveEntry("pax", TarConstants.LF_PAX_EXTENDED_HEADER_LC, true);
      extended.setSize(content.size());
      extended.setLastModifiedTime(FileTime.fromMillis(0));
      tar.putArchiveEntry(extended);
      content.writeTo(tar);
      tar.closeArchiveEntry();
    }
    tar.putArchiveEntry(entry);
  }

  private static void fits(String text, String key, Map<String, byte[]> records) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > NAME_FIELD || bytes.length != text.length()) {
      records.put(key, bytes);
    }
  }

  /** {@code LENGTH KEY=VALUE}, where the length counts itself. */
  private static byte[] record(String key, byte[] value) {
    byte[] rest = (" " + key + "=").getBytes(StandardCharsets.UTF_8);
    int length = rest.length + value.length + 1;
    int whole = length;
    while (whole != length + Integer.toString(whole).length()) {
      whole = length + Integer.toString(whole).length();
    }
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    record.writeBytes(Integer.toString(whole).getBytes(StandardCharsets.US_ASCII));
    record.writeBytes(rest);
    record.writeBytes(value);
    record.write('\n');
    return record.toByteArray();
  }
}
