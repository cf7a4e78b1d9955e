/** The domain: entities, the protocols between them, pure decisions, and ports. */
@NullMarked
package dev.troupe.actors;

import org.jspecify.annotations.NullMarked;
