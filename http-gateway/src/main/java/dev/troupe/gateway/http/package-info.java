/** Plain HTTP on the public port: blobs by signed links, content for machines, health. */
@NullMarked
package dev.troupe.gateway.http;

import org.jspecify.annotations.NullMarked;
