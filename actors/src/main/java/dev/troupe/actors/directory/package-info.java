/** The directory: names and lists of things, a port. */
@NullMarked
package dev.troupe.actors.directory;

import org.jspecify.annotations.NullMarked;
