package dev.troupe.gateway.service;

import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.modal.MountFile;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The files of a mount as a client lists them, checked: a list ends up on a machine's disk. */
final class MountFiles {

  private static final int FILES_LIMIT = 200_000;
  private static final int PATH_LIMIT = 4_096;
  private static final int DEFAULT_MODE = 0644;
  private static final int PERMISSION_BITS = 07777;
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern CLIENT_PACKAGE =
      Pattern.compile("modal-client-mount-[A-Za-z0-9.+-]{1,40}");
  private static final String STANDALONE_PYTHON = "python-build-standalone.";

  private MountFiles() {}

  /** The list as machines read it. */
  static Mount list(List<MountFile> files) {
    if (files.size() > FILES_LIMIT) {
      throw RpcFailure.invalid("A mount has at most %d files.".formatted(FILES_LIMIT));
    }
    Mount.Builder list = Mount.newBuilder();
    for (MountFile file : files) {
      int mode = file.hasMode() ? file.getMode() & PERMISSION_BITS : DEFAULT_MODE;
      list.addFiles(
          dev.troupe.protocol.link.MountFile.newBuilder()
              .setPath(path(file.getFilename()))
              .setSha256Hex(requireDigest(file.getSha256Hex()))
              .setSizeBytes(file.getSize())
              .setMode(mode));
    }
    return list.build();
  }

  /** A path that stays where it says: absolute, and without a step up. */
  private static String path(String filename) {
    String path = filename.startsWith("/") ? filename : "/" + filename;
    boolean good =
        path.length() <= PATH_LIMIT
            && path.length() > 1
            && path.indexOf('\0') < 0
            && !path.endsWith("/")
            && Arrays.stream(path.split("/", -1)).noneMatch(part -> part.equals(".."));
    if (!good) {
      throw RpcFailure.invalid("'%.200s' can't be the path of a mounted file.".formatted(filename));
    }
    return path;
  }

  /** A SHA-256 in hexadecimal. */
  static String requireDigest(String sha256Hex) {
    if (!DIGEST.matcher(sha256Hex).matches()) {
      throw RpcFailure.invalid("'%.80s' is not a SHA-256 in hexadecimal.".formatted(sha256Hex));
    }
    return sha256Hex;
  }

  /** The contents that a list needs. */
  static Set<String> digests(Mount list) {
    Set<String> digests = new TreeSet<>();
    list.getFilesList().forEach(file -> digests.add(file.getSha256Hex()));
    return digests;
  }

  /** The path of a file that has one of these contents. */
  static String pathOf(Mount list, Collection<String> digests) {
    return list.getFilesList().stream()
        .filter(file -> digests.contains(file.getSha256Hex()))
        .map(dev.troupe.protocol.link.MountFile::getPath)
        .findFirst()
        .orElse("?");
  }

  /** Whether a global mount's name means the client's own package, of whatever version. */
  static boolean isClientPackage(String name) {
    return CLIENT_PACKAGE.matcher(name).matches();
  }

  /** Whether a global mount's name means a Python to be put into an image. */
  static boolean isStandalonePython(String name) {
    return name.startsWith(STANDALONE_PYTHON);
  }
}
