/** Functions: what one is, its mailbox, its leases, its containers. */
@NullMarked
package dev.troupe.actors.function;

import org.jspecify.annotations.NullMarked;
