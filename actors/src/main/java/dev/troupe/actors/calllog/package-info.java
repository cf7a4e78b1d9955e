/** The call log: inputs and outputs of function calls, a port. */
@NullMarked
package dev.troupe.actors.calllog;

import org.jspecify.annotations.NullMarked;
