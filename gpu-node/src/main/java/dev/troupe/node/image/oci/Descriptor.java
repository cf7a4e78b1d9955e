package dev.troupe.node.image.oci;

/** A blob as manifests name it. */
record Descriptor(String mediaType, Digest digest, long size) {}
