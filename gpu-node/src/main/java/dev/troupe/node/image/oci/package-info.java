/** Images as registries and OCI layouts hold them: fetched, checked, unpacked, and written out. */
@NullMarked
package dev.troupe.node.image.oci;

import org.jspecify.annotations.NullMarked;
