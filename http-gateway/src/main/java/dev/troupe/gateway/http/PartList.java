package dev.troupe.gateway.http;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The body of the POST that joins parts.
 *
 * @param md5OfMd5s the MD5 of the parts' MD5s joined, in hexadecimal
 */
record PartList(int parts, String md5OfMd5s) {

  /** The one shape that clients send; all else in the body is passed over. */
  private static final Pattern PART =
      Pattern.compile(
          "<Part>\\s*<PartNumber>(\\d{1,9})</PartNumber>\\s*"
              + "<ETag>(?:\"|&quot;)?([0-9a-fA-F]{32})(?:\"|&quot;)?</ETag>\\s*</Part>");

  /** Reads the list; empty where the parts are not numbered from 1 without a gap. */
  static Optional<PartList> parse(String body) {
    MessageDigest digest = md5();
    Matcher part = PART.matcher(body);
    int parts = 0;
    while (part.find()) {
      parts++;
      if (Integer.parseInt(part.group(1)) != parts) {
        return Optional.empty();
      }
      digest.update(HexFormat.of().parseHex(part.group(2)));
    }
    return parts == 0
        ? Optional.empty()
        : Optional.of(new PartList(parts, HexFormat.of().formatHex(digest.digest())));
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
