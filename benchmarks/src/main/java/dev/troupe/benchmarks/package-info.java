/** Load on a server's doors, without the client's and the runner's Python. */
@NullMarked
package dev.troupe.benchmarks;

import org.jspecify.annotations.NullMarked;
