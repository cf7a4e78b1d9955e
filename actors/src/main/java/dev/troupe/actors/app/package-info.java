/** Apps: their life, their layout, who is told of it. */
@NullMarked
package dev.troupe.actors.app;

import org.jspecify.annotations.NullMarked;
