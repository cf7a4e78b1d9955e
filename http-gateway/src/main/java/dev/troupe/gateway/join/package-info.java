/** How machines join: tokens, and certificates for them. */
@NullMarked
package dev.troupe.gateway.join;

import org.jspecify.annotations.NullMarked;
