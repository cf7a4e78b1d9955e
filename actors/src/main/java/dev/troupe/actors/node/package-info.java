/** Machines: the control plane's counterpart of each agent, and what runs where. */
@NullMarked
package dev.troupe.actors.node;

import org.jspecify.annotations.NullMarked;
