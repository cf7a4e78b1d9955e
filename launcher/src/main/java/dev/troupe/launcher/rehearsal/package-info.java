/**
 * What a server is put through when its start cache is made: calls, with nobody real taking part.
 */
@NullMarked
package dev.troupe.launcher.rehearsal;

import org.jspecify.annotations.NullMarked;
