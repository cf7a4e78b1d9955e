/** The journal: its place, its tables, and its format on disk. */
@NullMarked
package dev.troupe.persistence.journal;

import org.jspecify.annotations.NullMarked;
