/** Who calls through the public port. */
@NullMarked
package dev.troupe.gateway.auth;

import org.jspecify.annotations.NullMarked;
