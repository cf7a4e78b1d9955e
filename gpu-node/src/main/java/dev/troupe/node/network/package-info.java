/** The network of containers: their namespaces, their way out, the one address they reach. */
@NullMarked
package dev.troupe.node.network;

import org.jspecify.annotations.NullMarked;
