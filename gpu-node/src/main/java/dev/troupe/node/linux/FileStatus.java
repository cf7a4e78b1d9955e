package dev.troupe.node.linux;

/**
 * What has a name.
 *
 * @param mode its type and its rights
 * @param links how many names it has
 * @param modified seconds since 1970
 */
public record FileStatus(
    int mode,
    int owner,
    int group,
    long size,
    long modified,
    int links,
    long inode,
    int deviceMajor,
    int deviceMinor) {

  /** One of the types of {@link FolderHandle}. */
  public int type() {
    return mode & FolderHandle.TYPE_MASK;
  }

  /** Whether it is a folder. */
  public boolean isFolder() {
    return type() == FolderHandle.FOLDER;
  }

  /** Whether an overlay takes it for the mark of a name that was deleted. */
  public boolean isWhiteout() {
    return type() == FolderHandle.CHARACTER_DEVICE && deviceMajor == 0 && deviceMinor == 0;
  }
}
