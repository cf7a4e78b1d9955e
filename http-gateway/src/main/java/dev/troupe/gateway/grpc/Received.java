package dev.troupe.gateway.grpc;

import dev.troupe.gateway.grpc.Admission.Reservation;
import org.apache.pekko.util.ByteString;

/** A message, and the room that was reserved for it: to be closed when its call ends. */
record Received(ByteString message, Reservation reservation) {}
