/** The RPC socket of each container. */
@NullMarked
package dev.troupe.node.door;

import org.jspecify.annotations.NullMarked;
