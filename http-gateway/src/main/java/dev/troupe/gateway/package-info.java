/** The public door and all that answers behind it. */
@NullMarked
package dev.troupe.gateway;

import org.jspecify.annotations.NullMarked;
