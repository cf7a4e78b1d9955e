/** The call log on a relational database: writes in groups, reads beside them. */
@NullMarked
package dev.troupe.persistence.calllog;

import org.jspecify.annotations.NullMarked;
