package dev.troupe.actors.image;

import dev.troupe.actors.image.BuildSteps.Source;
import dev.troupe.actors.image.RunMount.Access;
import dev.troupe.actors.image.RunMount.Sharing;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the value of one {@code --mount}: {@code key=value} and {@code key}, between commas. What
 * can't be read is told by an {@link IllegalArgumentException} whose message is a clause.
 */
final class RunMountReader {

  private static final Pattern SIZE =
      Pattern.compile("(\\d{1,15})([kmgt]?)b?", Pattern.CASE_INSENSITIVE);

  private static final Map<String, String> OTHER_NAMES =
      Map.of(
          "dst", "target",
          "destination", "target",
          "src", "source",
          "ro", "readonly",
          "rw", "readwrite");

  private static final Map<String, Set<String>> KEYS =
      Map.of(
          "bind", Set.of("target", "source", "from", "readonly", "readwrite"),
          "cache",
              Set.of(
                  "id",
                  "target",
                  "source",
                  "from",
                  "readonly",
                  "readwrite",
                  "sharing",
                  "mode",
                  "uid",
                  "gid"),
          "secret", Set.of("id", "target", "env", "required", "mode", "uid", "gid"),
          "tmpfs", Set.of("target", "size"));

  private final Map<String, String> values;
  private final Function<String, Source> sources;

  private RunMountReader(Map<String, String> values, Function<String, Source> sources) {
    this.values = values;
    this.sources = sources;
  }

  /** Reads one; {@code sources} tells what a {@code from} means. */
  static RunMount read(String text, Function<String, Source> sources) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String part : text.split(",", -1)) {
      String field = part.replaceAll("^\"|\"$", "");
      int equals = field.indexOf('=');
      String key = (equals < 0 ? field : field.substring(0, equals)).toLowerCase(Locale.ROOT);
      values.put(
          OTHER_NAMES.getOrDefault(key, key), equals < 0 ? "true" : field.substring(equals + 1));
    }
    String type = values.getOrDefault("type", "bind");
    values.remove("type");
    if (type.equals("ssh")) {
      throw new IllegalArgumentException(
          "--mount=type=ssh needs keys that no client sends; a secret can hold one");
    }
    Set<String> known = KEYS.get(type);
    if (known == null) {
      throw new IllegalArgumentException(
          "--mount has the types bind, cache, secret and tmpfs, not '%s'".formatted(type));
    }
    for (String key : values.keySet()) {
      if (!known.contains(key)) {
        throw new IllegalArgumentException(
            "--mount=type=%s does not know '%s'".formatted(type, key));
      }
    }
    RunMountReader reader = new RunMountReader(values, sources);
    return switch (type) {
      case "cache" -> reader.cache();
      case "secret" -> reader.secret();
      case "tmpfs" -> new RunMount.Memory(reader.target(), reader.size());
      default -> reader.bind();
    };
  }

  private RunMount bind() {
    Source from = from();
    return new RunMount.Bind(
        target(),
        from == null ? new Source.Context() : from,
        values.getOrDefault("source", "/"),
        !writable(false));
  }

  private RunMount cache() {
    Sharing sharing =
        switch (values.getOrDefault("sharing", "shared")) {
          case "shared" -> Sharing.SHARED;
          case "private" -> Sharing.PRIVATE;
          case "locked" -> Sharing.LOCKED;
          default ->
              throw new IllegalArgumentException("sharing is one of shared, private and locked");
        };
    return new RunMount.Cache(
        values.getOrDefault("id", ""),
        target(),
        sharing,
        from(),
        values.getOrDefault("source", "/"),
        !writable(true),
        access(0755));
  }

  private RunMount secret() {
    String target = values.getOrDefault("target", "");
    String id = values.getOrDefault("id", target.substring(target.lastIndexOf('/') + 1));
    if (id.isEmpty()) {
      throw new IllegalArgumentException("--mount=type=secret needs an id");
    }
    String variable = values.getOrDefault("env", "");
    boolean asFile = !target.isEmpty() || variable.isEmpty();
    return new RunMount.Secret(
        id,
        asFile && target.isEmpty() ? "/run/secrets/" + id : target,
        variable,
        flag("required", false),
        access(0400));
  }

  private String target() {
    String target = values.getOrDefault("target", "");
    if (target.isEmpty()) {
      throw new IllegalArgumentException("--mount needs a target");
    }
    return target;
  }

  private @Nullable Source from() {
    String from = values.get("from");
    return from == null ? null : sources.apply(from);
  }

  private boolean writable(boolean usually) {
    boolean writable = flag("readwrite", usually);
    return values.containsKey("readonly") ? !flag("readonly", true) : writable;
  }

  private boolean flag(String key, boolean usually) {
    return switch (values.getOrDefault(key, String.valueOf(usually)).toLowerCase(Locale.ROOT)) {
      case "true", "1" -> true;
      case "false", "0" -> false;
      default -> throw new IllegalArgumentException(key + " is true or false");
    };
  }

  private Access access(int mode) {
    return new Access(
        number("mode", mode, 8, 07777),
        number("uid", 0, 10, Integer.MAX_VALUE),
        number("gid", 0, 10, Integer.MAX_VALUE));
  }

  private int number(String key, int usually, int radix, int most) {
    String text = values.get(key);
    if (text == null) {
      return usually;
    }
    try {
      int number = Integer.parseInt(text, radix);
      if (number >= 0 && number <= most) {
        return number;
      }
    } catch (NumberFormatException said) {
      // Below, with what was wrong.
    }
    throw new IllegalArgumentException("'%s' is no %s".formatted(text, key));
  }

  private long size() {
    String text = values.get("size");
    if (text == null) {
      return 0;
    }
    Matcher size = SIZE.matcher(text);
    if (!size.matches()) {
      throw new IllegalArgumentException("'%s' is no size".formatted(text));
    }
    int shift = 10 * ("kmgt".indexOf(size.group(2).toLowerCase(Locale.ROOT)) + 1);
    long number = Long.parseLong(size.group(1));
    if (size.group(2).isEmpty()) {
      return number;
    }
    return Math.multiplyExact(Math.min(number, 1L << 20), 1L << shift);
  }
}
