package dev.troupe.node.image.oci;

import dev.troupe.node.linux.FileStatus;
import dev.troupe.node.linux.FolderHandle;
import dev.troupe.node.linux.FolderHandle.NewFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * Unpacks the tar of a layer into a folder that an overlay takes as a lower one: the tar's marks of
 * deleted names become the overlay's.
 *
 * <p>Nothing outside the folder is touched, whatever the tar says: each path is resolved by the
 * kernel with the folder as root, and what has a name is never followed but replaced. What a layer
 * may not bring is left out, and said: devices but the ones of every container, and attributes that
 * could speak to the overlay or to the machine.
 */
final class LayerUnpacker {

  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";
  private static final String OTHER_MARKS = ".wh..wh.";
  private static final String OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";

  /** What the name of an attribute has before it in a tar. */
  static final String ATTRIBUTE_RECORD = "SCHILY.xattr.";

  private static final String CAPABILITY = "security.capability";
  private static final String USER_ATTRIBUTE = "user.";
  private static final String OVERLAY_ATTRIBUTE = "user.overlay.";

  /** Major and minor: null, zero, full, random, urandom, tty, console, ptmx. */
  private static final Set<String> DEVICES =
      Set.of("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2");

  /** What stands for bytes that are no UTF-8. */
  private static final int REPLACED = 0xfffd;

  private static final int PLAIN_FOLDER = 0755;
  private static final int RIGHTS = 07777;
  private static final long MOST_SECONDS = (1L << 34) - 1;
  private static final int BUFFER = 128 << 10;

  /**
   * What a layer may take.
   *
   * @param bytes of all files, and of the tar itself
   * @param entries of the tar
   */
  record Limits(long bytes, long entries) {}

  private final FolderHandle root;
  private final Limits limits;
  private final Consumer<String> log;
  private final boolean hasMarks;
  private final Map<String, Long> folderTimes = new LinkedHashMap<>();
  private final byte[] buffer = new byte[BUFFER];
  private final TarInput input;
  private final TarArchiveInputStream tar;
  private String openPath = "";
  private FolderHandle openFolder;
  private long entries;
  private long bytes;

  private LayerUnpacker(
      InputStream tar, FolderHandle root, Limits limits, Consumer<String> log, boolean hasMarks) {
    this.hasMarks = hasMarks;
    this.root = root;
    this.openFolder = root;
    this.limits = limits;
    this.log = log;
    this.input = new TarInput(new BufferedInputStream(tar, BUFFER));
    this.tar = new TarArchiveInputStream(input, StandardCharsets.UTF_8.name());
  }

  /**
   * Unpacks into an empty folder and reads the tar to its end.
   *
   * @param log hears of what is left out
   * @throws MalformedLayer for what is the tar's own fault
   */
  static void unpack(InputStream tar, Path folder, Limits limits, Consumer<String> log)
      throws IOException {
    unpack(tar, folder, limits, log, true);
  }

  /** Unpacks a tar that is no layer: names that would be marks in one are names. */
  static void unpackPlain(InputStream tar, Path folder, Limits limits) throws IOException {
    unpack(tar, folder, limits, _ -> {}, false);
  }

  private static void unpack(
      InputStream tar, Path folder, Limits limits, Consumer<String> log, boolean hasMarks)
      throws IOException {
    try (FolderHandle root = FolderHandle.open(folder)) {
      LayerUnpacker unpacker = new LayerUnpacker(tar, root, limits, log, hasMarks);
      try {
        unpacker.run();
      } catch (RuntimeException unreadable) {
        // How the tar reader says that a header makes no sense.
        throw new MalformedLayer("it is no tar (" + Printable.of(unreadable.toString()) + ")");
      } finally {
        unpacker.leave();
      }
    }
  }

  private void run() throws IOException {
    input.headerBegins();
    for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
      input.contentBegins();
      entries++;
      if (entries > limits.entries()) {
        throw new MalformedLayer("it has more than %d entries".formatted(limits.entries()));
      }
      unpack(entry);
      drain(tar);
      input.headerBegins();
    }
    input.contentBegins();
    drain(input);
    for (Map.Entry<String, Long> folder : folderTimes.entrySet()) {
      List<String> names = components(folder.getKey());
      FolderHandle parent = names.isEmpty() ? root : enter(parentOf(names));
      String name = names.isEmpty() ? "." : names.getLast();
      if (parent.status(name).filter(FileStatus::isFolder).isPresent()) {
        parent.setModified(name, folder.getValue(), 0);
      }
    }
  }

  private void drain(InputStream stream) throws IOException {
    int count = stream.read(buffer);
    while (count >= 0) {
      count = stream.read(buffer);
    }
  }

  private void unpack(TarArchiveEntry entry) throws IOException {
    List<String> names = components(entry.getName());
    if (names.isEmpty()) {
      if (entry.isDirectory()) {
        describe(root, ".", entry);
        folderTimes.put("", seconds(entry));
      }
      return;
    }
    if (entry.getName().indexOf(REPLACED) >= 0) {
      log.accept(
          "changed: a name that is not UTF-8, to %s%n".formatted(Printable.of(entry.getName())));
    }
    FolderHandle parent = enter(parentOf(names));
    String name = names.getLast();
    if (hasMarks && name.startsWith(WHITEOUT)) {
      mark(parent, name);
    } else if (entry.isDirectory()) {
      folder(parent, name, entry);
      folderTimes.put(String.join("/", names), seconds(entry));
    } else if (entry.isLink()) {
      hardLink(parent, names, entry);
    } else if (entry.isSymbolicLink()) {
      clear(parent, name);
      parent.makeSymlink(name, checked(entry.getLinkName()));
      parent.setOwner(name, id(entry.getLongUserId()), id(entry.getLongGroupId()));
      parent.setModified(name, seconds(entry), 0);
    } else if (entry.isCharacterDevice() || entry.isBlockDevice()) {
      device(parent, name, entry);
    } else if (entry.isFIFO()) {
      clear(parent, name);
      parent.makeNode(name, FolderHandle.PIPE | 0600, 0, 0);
      describe(parent, name, entry);
      parent.setModified(name, seconds(entry), 0);
    } else if (entry.isFile()) {
      file(parent, name, entry);
    } else {
      leftOut(entry, "it is of a kind that is not known");
    }
  }

  private void folder(FolderHandle parent, String name, TarArchiveEntry entry) throws IOException {
    Optional<FileStatus> there = parent.status(name);
    if (there.filter(FileStatus::isFolder).isEmpty()) {
      clear(parent, name);
      parent.makeFolder(name, PLAIN_FOLDER);
      if (there.filter(FileStatus::isWhiteout).isPresent()) {
        hideBelow(parent, name);
      }
    }
    describe(parent, name, entry);
  }

  private void file(FolderHandle parent, String name, TarArchiveEntry entry) throws IOException {
    if (entry.getRealSize() > limits.bytes() - bytes) {
      throw tooLong();
    }
    clear(parent, name);
    try (NewFile file = parent.makeFile(name, 0600)) {
      for (int count = tar.read(buffer); count >= 0; count = tar.read(buffer)) {
        bytes += count;
        if (bytes > limits.bytes()) {
          throw tooLong();
        }
        file.write(buffer, count);
      }
    }
    describe(parent, name, entry);
    parent.setModified(name, seconds(entry), 0);
  }

  private MalformedLayer tooLong() {
    return new MalformedLayer(
        "its files are longer than the limit troupe.images.layer-limit, %d MiB, together"
            .formatted(limits.bytes() >> 20));
  }

  private void hardLink(FolderHandle parent, List<String> names, TarArchiveEntry entry)
      throws IOException {
    List<String> target = components(entry.getLinkName());
    if (target.equals(names)) {
      return;
    }
    String name = names.getLast();
    clear(parent, name);
    try (FolderHandle from =
        target.isEmpty() ? root.enter("").orElseThrow() : enterOnce(parentOf(target))) {
      Optional<FileStatus> status =
          target.isEmpty() ? Optional.empty() : from.status(target.getLast());
      if (status.isEmpty() || status.get().isFolder() || status.get().isWhiteout()) {
        throw new MalformedLayer(
            "'%s' is a hard link to '%s', which is no file of the layer"
                .formatted(Printable.of(entry.getName()), Printable.of(entry.getLinkName())));
      }
      parent.makeHardLink(name, from, target.getLast());
    }
  }

  private FolderHandle enterOnce(String path) throws IOException {
    return root.enter(path)
        .orElseThrow(
            () ->
                new MalformedLayer(
                    "a hard link leads into '%s', which is not there"
                        .formatted(Printable.of(path))));
  }

  private void device(FolderHandle parent, String name, TarArchiveEntry entry) throws IOException {
    int major = entry.getDevMajor();
    int minor = entry.getDevMinor();
    if (entry.isBlockDevice() || !DEVICES.contains(major + ":" + minor)) {
      leftOut(entry, "a layer may not bring the device %d:%d".formatted(major, minor));
      return;
    }
    clear(parent, name);
    parent.makeNode(name, FolderHandle.CHARACTER_DEVICE | 0600, major, minor);
    describe(parent, name, entry);
    parent.setModified(name, seconds(entry), 0);
  }

  /** A mark stands for layers below; what this layer itself has under the name stays. */
  private void mark(FolderHandle parent, String mark) throws IOException {
    if (mark.equals(OPAQUE)) {
      hideBelow(parent, ".");
      return;
    }
    if (mark.startsWith(OTHER_MARKS)) {
      return;
    }
    String name = mark.substring(WHITEOUT.length());
    if (name.isEmpty() || name.equals(".") || name.equals("..")) {
      throw new MalformedLayer("'" + Printable.of(mark) + "' marks no name as deleted");
    }
    Optional<FileStatus> there = parent.status(name);
    if (there.isEmpty()) {
      parent.makeWhiteout(name);
    } else if (there.get().isFolder()) {
      hideBelow(parent, name);
    }
  }

  private static void hideBelow(FolderHandle parent, String name) throws IOException {
    parent.setAttribute(name, OPAQUE_ATTRIBUTE, new byte[] {'y'});
  }

  /** Owner first: the kernel takes setuid and capabilities from what changes its owner. */
  private void describe(FolderHandle parent, String name, TarArchiveEntry entry)
      throws IOException {
    parent.setOwner(name, id(entry.getLongUserId()), id(entry.getLongGroupId()));
    parent.setRights(name, entry.getMode() & RIGHTS);
    for (Map.Entry<String, String> header : entry.getExtraPaxHeaders().entrySet()) {
      if (header.getKey().startsWith(ATTRIBUTE_RECORD)) {
        attribute(parent, name, entry, header.getKey());
      }
    }
  }

  /** Whether a layer may bring an attribute of this name. */
  static boolean mayCarry(String attribute) {
    return attribute.equals(CAPABILITY)
        || (attribute.startsWith(USER_ATTRIBUTE) && !attribute.startsWith(OVERLAY_ATTRIBUTE));
  }

  private void attribute(FolderHandle parent, String name, TarArchiveEntry entry, String record)
      throws IOException {
    String attribute = record.substring(ATTRIBUTE_RECORD.length());
    Optional<byte[]> value = input.record(record);
    if (!mayCarry(attribute) || value.isEmpty() || attribute.indexOf(0) >= 0) {
      log.accept(
          "left out: the attribute %s of %s%n"
              .formatted(Printable.of(attribute), Printable.of(entry.getName())));
      return;
    }
    parent.setAttribute(name, attribute, value.get());
  }

  private void leftOut(TarArchiveEntry entry, String why) {
    log.accept("left out: %s (%s)%n".formatted(Printable.of(entry.getName()), why));
  }

  /** Removes what has this name, if anything has. */
  private void clear(FolderHandle parent, String name) throws IOException {
    Optional<FileStatus> there = parent.status(name);
    if (there.isPresent()) {
      parent.remove(name);
      if (there.get().type() == FolderHandle.FOLDER || there.get().type() == FolderHandle.SYMLINK) {
        // The folder that is open may have been reached through it: it is to be resolved anew.
        openPath = "/";
      }
    }
  }

  /** The folder at a path, made where it isn't there; open until the next one is. */
  private FolderHandle enter(String path) throws IOException {
    if (path.equals(openPath)) {
      return openFolder;
    }
    leave();
    Optional<FolderHandle> there = root.enter(path);
    if (there.isEmpty()) {
      makeFolders(path);
      there = root.enter(path);
    }
    openFolder =
        there.orElseThrow(
            () -> new MalformedLayer("'%s' is no folder".formatted(Printable.of(path))));
    openPath = path;
    return openFolder;
  }

  private void leave() throws IOException {
    if (openFolder != root) {
      openFolder.close();
    }
    openFolder = root;
    openPath = "";
  }

  private void makeFolders(String path) throws IOException {
    StringBuilder at = new StringBuilder();
    for (String name : components(path)) {
      try (FolderHandle parent =
          root.enter(at.toString())
              .orElseThrow(
                  () -> new MalformedLayer("'%s' is no folder".formatted(Printable.of(path))))) {
        Optional<FileStatus> there = parent.status(name);
        at.append(at.isEmpty() ? "" : "/").append(name);
        if (there.isEmpty() || there.get().isWhiteout()) {
          clear(parent, name);
          parent.makeFolder(name, PLAIN_FOLDER);
          parent.setRights(name, usualRights(at.toString()));
          if (there.isPresent()) {
            hideBelow(parent, name);
          }
        }
      }
    }
  }

  /** A folder hides the rights of the one below it, so those with special ones get these. */
  private static int usualRights(String path) {
    return switch (path) {
      case "tmp", "var/tmp" -> 01777;
      case "root" -> 0700;
      default -> PLAIN_FOLDER;
    };
  }

  private static String parentOf(List<String> names) {
    return String.join("/", names.subList(0, names.size() - 1));
  }

  private static List<String> components(String path) throws MalformedLayer {
    List<String> names = new ArrayList<>();
    for (String name : checked(path).split("/", -1)) {
      if (name.equals("..")) {
        throw new MalformedLayer("'%s' leads out of the layer".formatted(Printable.of(path)));
      }
      if (!name.isEmpty() && !name.equals(".")) {
        names.add(name);
      }
    }
    return names;
  }

  private static String checked(String text) throws MalformedLayer {
    if (text.indexOf(0) >= 0) {
      throw new MalformedLayer("'%s' has a NUL in it".formatted(Printable.of(text)));
    }
    return text;
  }

  private static int id(long id) throws MalformedLayer {
    if (id < 0 || id >= 0xffff_ffffL) {
      throw new MalformedLayer("%d is the id of no user or group".formatted(id));
    }
    return (int) id;
  }

  private static long seconds(TarArchiveEntry entry) {
    long seconds = entry.getLastModifiedTime().to(TimeUnit.SECONDS);
    return Math.clamp(seconds, 0, MOST_SECONDS);
  }
}
