/** The container door: what a container may say, a port. */
@NullMarked
package dev.troupe.actors.door;

import org.jspecify.annotations.NullMarked;
