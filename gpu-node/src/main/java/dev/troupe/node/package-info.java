/** The agent of a machine: what runs here, on whose word, and how it ends. */
@NullMarked
package dev.troupe.node;

import org.jspecify.annotations.NullMarked;
