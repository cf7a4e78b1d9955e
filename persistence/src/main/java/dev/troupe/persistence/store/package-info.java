/** The ground of the stores: the data directory, the databases, what their failures mean. */
@NullMarked
package dev.troupe.persistence.store;

import org.jspecify.annotations.NullMarked;
