/** Images: one definition, built once. */
@NullMarked
package dev.troupe.actors.image;

import org.jspecify.annotations.NullMarked;
