package dev.troupe.actors.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One instruction of a Dockerfile, put together from its lines: continued ones are joined, comments
 * between them left out, the here-documents behind it taken in.
 *
 * @param name in upper case
 * @param flags {@code --name=value}, without the dashes
 * @param arguments what follows name and flags
 * @param documents the here-documents it opens, in their order
 */
record Instruction(String name, List<Flag> flags, String arguments, List<HereDocument> documents) {

  private static final Pattern DIRECTIVE = Pattern.compile("#\\s*escape\\s*=\\s*(.)\\s*");
  private static final Pattern FLAG = Pattern.compile("--([a-z-]+)(?:=(\\S*))?(?:\\s+|$)");
  private static final Pattern HERE =
      Pattern.compile("(?<!\\S)\\d?<<(-?)(?:(['\"])([\\w./-]+)\\2|([\\w./-]+))");

  /** One option of an instruction. */
  record Flag(String name, String value) {}

  /**
   * Lines up to a word.
   *
   * @param opening as it is written, {@code <<"EOF"}
   * @param name the word that ends it
   * @param quoted variables in it are left as they are
   * @param text with the ends of its lines
   */
  record HereDocument(String opening, String name, boolean quoted, String text) {}

  Instruction {
    flags = List.copyOf(flags);
    documents = List.copyOf(documents);
  }

  /** The line as a log shows it. */
  String line() {
    StringBuilder line = new StringBuilder(name);
    flags.forEach(flag -> line.append(" --").append(flag.name()).append('=').append(flag.value()));
    return arguments.isEmpty() ? line.toString() : line.append(' ').append(arguments).toString();
  }

  /** Reads lines, of which each may hold several. Fails with {@link Malformed}. */
  static List<Instruction> read(List<String> lines) {
    List<String> all = new ArrayList<>();
    lines.forEach(line -> all.addAll(List.of(line.split("\r?\n", -1))));
    return new Reader(all).read();
  }

  /** No Dockerfile; the message is a sentence. */
  static final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1;

    Malformed(String sentence) {
      super(sentence, null, false, false);
    }
  }

  private static final class Reader {
    private final List<String> lines;
    private int at;
    private char escape = '\\';

    Reader(List<String> lines) {
      this.lines = lines;
    }

    List<Instruction> read() {
      directives();
      List<Instruction> instructions = new ArrayList<>();
      while (at < lines.size()) {
        String line = lines.get(at++);
        if (!isSkipped(line)) {
          instructions.add(instruction(joined(line)));
        }
      }
      return instructions;
    }

    /** Comments at the very top may say which character continues a line. */
    private void directives() {
      for (String line : lines) {
        if (!line.startsWith("#")) {
          return;
        }
        Matcher directive = DIRECTIVE.matcher(line);
        if (directive.matches()) {
          escape = directive.group(1).charAt(0);
        }
      }
    }

    private static boolean isSkipped(String line) {
      return line.isBlank() || line.stripLeading().startsWith("#");
    }

    private String joined(String first) {
      StringBuilder text = new StringBuilder();
      String line = first.stripLeading();
      while (isContinued(line) && at < lines.size()) {
        text.append(line.stripTrailing(), 0, line.stripTrailing().length() - 1);
        do {
          line = lines.get(at++);
        } while (isSkipped(line) && at < lines.size());
        line = isSkipped(line) ? "" : line;
      }
      if (isContinued(line)) {
        line = line.stripTrailing().substring(0, line.stripTrailing().length() - 1);
      }
      return text.append(line).toString().strip();
    }

    private boolean isContinued(String line) {
      String text = line.stripTrailing();
      return !text.isEmpty() && text.charAt(text.length() - 1) == escape;
    }

    private Instruction instruction(String text) {
      String[] parts = text.split("\\s+", 2);
      String name = parts[0].toUpperCase(Locale.ROOT);
      String rest = parts.length < 2 ? "" : parts[1];
      List<Flag> flags = new ArrayList<>();
      Matcher flag = FLAG.matcher(rest);
      while (flag.lookingAt()) {
        flags.add(new Flag(flag.group(1), flag.group(2) == null ? "" : flag.group(2)));
        rest = rest.substring(flag.end());
        flag = FLAG.matcher(rest);
      }
      boolean mayHaveDocuments = List.of("RUN", "COPY", "ADD").contains(name);
      return new Instruction(name, flags, rest, mayHaveDocuments ? documents(rest) : List.of());
    }

    private List<HereDocument> documents(String arguments) {
      List<HereDocument> documents = new ArrayList<>();
      Matcher here = HERE.matcher(arguments);
      while (here.find()) {
        documents.add(document(here));
      }
      return documents;
    }

    private HereDocument document(Matcher here) {
      boolean stripsTabs = !here.group(1).isEmpty();
      boolean quoted = here.group(2) != null;
      String name = quoted ? here.group(3) : here.group(4);
      StringBuilder text = new StringBuilder();
      while (at < lines.size()) {
        String line = lines.get(at++);
        String content = stripsTabs ? line.replaceFirst("^\t+", "") : line;
        if (content.equals(name)) {
          return new HereDocument(here.group(), name, quoted, text.toString());
        }
        text.append(content).append('\n');
      }
      throw new Malformed("the here-document '%s' has no end".formatted(here.group()));
    }
  }
}
