package dev.troupe.node.image;

import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.modal.FunctionInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Runs functions that make layers: a port, since a function's container is more than a step's. */
public interface FunctionSteps {

  /**
   * Runs the function once to its end; gives what it changed, a folder of its own that is the
   * caller's to move.
   *
   * @param order its container, as that of a function is started
   * @param image the image it runs in
   * @param layers of that image, lowest first
   * @param above further layers, lowest first: the client's runner and the function's files
   * @param log hears what it prints
   * @throws BuildFailure when it failed, with what it said
   */
  Changes run(
      StartContainer order,
      FunctionInput input,
      ImageRecord image,
      List<Path> layers,
      List<Path> above,
      Consumer<String> log)
      throws IOException, InterruptedException;

  /** What a container changed, until closed. */
  interface Changes extends AutoCloseable {

    Path folder();

    @Override
    void close() throws IOException;
  }
}
