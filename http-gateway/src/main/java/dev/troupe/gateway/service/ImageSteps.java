package dev.troupe.gateway.service;

import dev.troupe.protocol.modal.Image;
import java.util.Optional;

/** Which image definitions can be built, asked before anything is built. */
@FunctionalInterface
public interface ImageSteps {

  /** Why a definition can't be built, as a sentence for the user; empty where it can. */
  Optional<String> refusal(Image definition, String builderVersion);
}
