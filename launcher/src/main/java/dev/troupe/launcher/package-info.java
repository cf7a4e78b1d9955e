/** {@code main()}: settings, roles, and the start of each module. */
@NullMarked
package dev.troupe.launcher;

import org.jspecify.annotations.NullMarked;
