/** Names of images: which image a name stands for now, and which it stood for before. */
@NullMarked
package dev.troupe.actors.imagename;

import org.jspecify.annotations.NullMarked;
