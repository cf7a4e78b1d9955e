/**
 * What each RPC does: one class an area. A method reads: translate, ask the entity, translate back.
 * Reading and building of messages is apart from asking, in classes without I/O.
 */
@NullMarked
package dev.troupe.gateway.service;

import org.jspecify.annotations.NullMarked;
