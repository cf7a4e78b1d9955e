/** Secrets: environment variables of containers, encrypted at rest. */
@NullMarked
package dev.troupe.actors.secret;

import org.jspecify.annotations.NullMarked;
