/** The directory on a relational database. */
@NullMarked
package dev.troupe.persistence.directory;

import org.jspecify.annotations.NullMarked;
