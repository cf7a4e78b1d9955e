/** Keys kept outside the database, and what is encrypted with them. */
@NullMarked
package dev.troupe.persistence.vault;

import org.jspecify.annotations.NullMarked;
