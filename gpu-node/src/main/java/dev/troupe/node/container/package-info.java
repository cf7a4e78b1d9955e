/** Containers: what a runtime must do, and runc doing it. */
@NullMarked
package dev.troupe.node.container;

import org.jspecify.annotations.NullMarked;
