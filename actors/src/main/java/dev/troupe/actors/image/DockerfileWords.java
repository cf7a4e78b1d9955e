package dev.troupe.actors.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Words of a Dockerfile line: split at blanks outside quotes, and read as a shell would. */
public final class DockerfileWords {

  /** Splits a line; quotes and backslashes stay in the words. */
  public static List<String> split(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && quote != '\'' && i + 1 < text.length()) {
        word.append(c).append(text.charAt(++i));
      } else if (quote == 0 && Character.isWhitespace(c)) {
        if (!word.isEmpty()) {
          words.add(word.toString());
          word.setLength(0);
        }
      } else {
        if (quote == 0 && (c == '\'' || c == '"')) {
          quote = c;
        } else if (c == quote) {
          quote = 0;
        }
        word.append(c);
      }
    }
    if (!word.isEmpty()) {
      words.add(word.toString());
    }
    return words;
  }

  /**
   * What a word means: quotes taken away, {@code $NAME}, {@code ${NAME}} and {@code
   * ${NAME:-default}} replaced outside single quotes.
   */
  public static String expand(String word, Map<String, String> variables) {
    StringBuilder meaning = new StringBuilder();
    char quote = 0;
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (c == '\\' && quote != '\'' && i + 1 < word.length()) {
        char next = word.charAt(++i);
        if (quote == '"' && next != '"' && next != '\\' && next != '$') {
          meaning.append(c);
        }
        meaning.append(next);
      } else if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      } else if (c == '$' && quote != '\'') {
        i = variable(word, i, variables, meaning);
      } else {
        meaning.append(c);
      }
    }
    return meaning.toString();
  }

  /** Appends the value of the variable that starts at {@code start}; returns its last index. */
  private static int variable(
      String word, int start, Map<String, String> variables, StringBuilder meaning) {
    int nameStart = start + 1;
    boolean braces = nameStart < word.length() && word.charAt(nameStart) == '{';
    if (braces) {
      int end = word.indexOf('}', nameStart);
      if (end < 0) {
        meaning.append('$');
        return start;
      }
      String inner = word.substring(nameStart + 1, end);
      int dash = inner.indexOf(":-");
      String name = dash < 0 ? inner : inner.substring(0, dash);
      String fallback = dash < 0 ? "" : inner.substring(dash + 2);
      String value = variables.getOrDefault(name, "");
      meaning.append(value.isEmpty() ? fallback : value);
      return end;
    }
    int end = nameStart;
    while (end < word.length()
        && (Character.isLetterOrDigit(word.charAt(end)) || word.charAt(end) == '_')) {
      end++;
    }
    if (end == nameStart) {
      meaning.append('$');
      return start;
    }
    meaning.append(variables.getOrDefault(word.substring(nameStart, end), ""));
    return end - 1;
  }

  private DockerfileWords() {}
}
