/** Images and what else a root filesystem is made of: layers, the runner, mounts. */
@NullMarked
package dev.troupe.node.image;

import org.jspecify.annotations.NullMarked;
