/** Journal, call log, directory, blob stores and keys: the ports of {@code actors} on disk. */
@NullMarked
package dev.troupe.persistence;

import org.jspecify.annotations.NullMarked;
