/** Every RPC once: the table of handlers that both doors share, who may call what, and failures. */
@NullMarked
package dev.troupe.gateway.rpc;

import org.jspecify.annotations.NullMarked;
