/** gRPC on the public port: framing, admission, dispatch. */
@NullMarked
package dev.troupe.gateway.grpc;

import org.jspecify.annotations.NullMarked;
