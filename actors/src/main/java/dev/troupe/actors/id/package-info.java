/** The names of things: one record a kind of id, so that none is mistaken for another. */
@NullMarked
package dev.troupe.actors.id;

import org.jspecify.annotations.NullMarked;
