/** The control plane's end of NodeLink: one MachineLink a machine's agent. */
@NullMarked
package dev.troupe.gateway.link;

import org.jspecify.annotations.NullMarked;
