/** The link of an agent in a process of its own: the gRPC stream, and doors and content over it. */
@NullMarked
package dev.troupe.node.link;

import org.jspecify.annotations.NullMarked;
