/** The ground: boot, roles, settings, serialization. Knows no domain word. */
@NullMarked
package dev.troupe.cluster;

import org.jspecify.annotations.NullMarked;
