/** A container runtime that runs nothing and can be told to fail. */
@NullMarked
package dev.troupe.node.container.testing;

import org.jspecify.annotations.NullMarked;
