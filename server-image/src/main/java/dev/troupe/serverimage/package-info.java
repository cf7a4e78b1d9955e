/** A container image of the distribution. */
@NullMarked
package dev.troupe.serverimage;

import org.jspecify.annotations.NullMarked;
