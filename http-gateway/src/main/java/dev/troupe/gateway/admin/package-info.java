/** What an operator asks of a server, by its own commands: plain HTTP with a token, in JSON. */
@NullMarked
package dev.troupe.gateway.admin;

import org.jspecify.annotations.NullMarked;
