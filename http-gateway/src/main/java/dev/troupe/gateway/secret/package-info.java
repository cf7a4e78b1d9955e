/** Secrets: how their values are written before they are sealed. */
@NullMarked
package dev.troupe.gateway.secret;

import org.jspecify.annotations.NullMarked;
