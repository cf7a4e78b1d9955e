/** What containers print: read from their pipes, kept in segments, followed. */
@NullMarked
package dev.troupe.node.log;

import org.jspecify.annotations.NullMarked;
