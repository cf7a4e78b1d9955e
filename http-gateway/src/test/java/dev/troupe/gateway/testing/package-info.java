/** Hand-written fakes for the tests of this module. */
@NullMarked
package dev.troupe.gateway.testing;

import org.jspecify.annotations.NullMarked;
