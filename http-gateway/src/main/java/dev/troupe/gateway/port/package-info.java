/** The public port: one socket for gRPC, plain HTTP and the links of machines. */
@NullMarked
package dev.troupe.gateway.port;

import org.jspecify.annotations.NullMarked;
