package dev.troupe.node.door;

/** Sees the inputs of a container pass through its door. Must be quick: a call waits for it. */
public interface InputWatch {

  /** The container is given this serialized {@code FunctionGetInputsResponse}. */
  void given(byte[] response);

  /** The container gives this serialized {@code FunctionPutOutputsRequest}. */
  void gave(byte[] request);

  /** Looks away. */
  InputWatch NONE =
      new InputWatch() {
        @Override
        public void given(byte[] response) {}

        @Override
        public void gave(byte[] request) {}
      };
}
