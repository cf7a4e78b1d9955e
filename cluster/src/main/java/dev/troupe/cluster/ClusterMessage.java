package dev.troupe.cluster;

/**
 * Marks what may travel between processes of a cluster. Bound to Jackson CBOR in {@code
 * reference.conf}: records, sealed hierarchies and {@code ActorRef}s travel without annotations; no
 * generic fields.
 */
public interface ClusterMessage {}
