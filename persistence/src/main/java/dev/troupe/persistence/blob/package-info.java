/** Blobs as files. */
@NullMarked
package dev.troupe.persistence.blob;

import org.jspecify.annotations.NullMarked;
