/** Ports of what containers and builds printed. */
@NullMarked
package dev.troupe.actors.log;

import org.jspecify.annotations.NullMarked;
