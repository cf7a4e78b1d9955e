/** Blobs: bytes too big for a row or a message, a port. */
@NullMarked
package dev.troupe.actors.blob;

import org.jspecify.annotations.NullMarked;
