package dev.troupe.persistence.directory;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.TreeMap;

/** The attributes of an entry as one JSON object. */
final class Attributes {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<Map<String, String>> STRINGS = new TypeReference<>() {};

  static String toJson(Map<String, String> attributes) {
    try {
      return JSON.writeValueAsString(new TreeMap<>(attributes));
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static Map<String, String> fromJson(String json) {
    try {
      return Map.copyOf(JSON.readValue(json, STRINGS));
    } catch (JsonProcessingException broken) {
      throw new IllegalStateException("attributes of an entry are no JSON: " + json, broken);
    }
  }

  private Attributes() {}
}
