/** Placement: which machine a container goes to, and who waits for capacity. */
@NullMarked
package dev.troupe.actors.placement;

import org.jspecify.annotations.NullMarked;
