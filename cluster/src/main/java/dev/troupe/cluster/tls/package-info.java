/** Certificates of our own: an authority, what it signs, and TLS between those that hold them. */
@NullMarked
package dev.troupe.cluster.tls;

import org.jspecify.annotations.NullMarked;
