package dev.troupe.persistence.blob;

/** Whose a directory of blobs is. */
public enum Sharing {
  /** One process's alone: what another one left unfinished can go at once. */
  PRIVATE,
  /** Several processes': what is unfinished may be in the hands of another one for a day. */
  SHARED
}
