/** The GPUs of the machine: which there are, who has them, and how a container gets them. */
@NullMarked
package dev.troupe.node.gpu;

import org.jspecify.annotations.NullMarked;
