/** Hand-written fakes of the ports, and what tests of actors need; used by other modules' tests. */
@NullMarked
package dev.troupe.actors.testing;

import org.jspecify.annotations.NullMarked;
