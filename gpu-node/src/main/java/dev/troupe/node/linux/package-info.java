/** The kernel and its tools, as far as the agent needs them: system calls, commands, mounts. */
@NullMarked
package dev.troupe.node.linux;

import org.jspecify.annotations.NullMarked;
