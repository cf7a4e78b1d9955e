/** Mounts: the lists of files behind their ids. */
@NullMarked
package dev.troupe.gateway.mount;

import org.jspecify.annotations.NullMarked;
