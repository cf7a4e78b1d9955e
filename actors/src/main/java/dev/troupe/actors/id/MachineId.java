package dev.troupe.actors.id;

/** A machine that runs containers: a word its agent made at its first start and keeps. */
public record MachineId(String value) {

  public MachineId {
    if (value.isBlank() || value.length() > 64) {
      throw new InvalidId("machine id must have 1 to 64 characters: '" + value + "'");
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
