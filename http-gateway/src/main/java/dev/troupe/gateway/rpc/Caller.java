package dev.troupe.gateway.rpc;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;

/** Who makes a call: a token, a container, or a machine's agent. */
public sealed interface Caller {

  /** What names are derived from, together with the RPC and its idempotency key (DESIGN D3). */
  String identity();

  /**
   * The environment that is meant where a request names none: its name for a token, its key, which
   * stays when the name changes, for a container.
   */
  String environment();

  /**
   * A user or program with a token, through the public port.
   *
   * @param tokenId the public half of the token
   * @param environment the token's default environment
   */
  record Token(String tokenId, String environment) implements Caller {
    @Override
    public String identity() {
      return tokenId;
    }
  }

  /**
   * A container, through the socket that is its identity.
   *
   * @param function the function it was started for; of a class, the bound one
   * @param blobUrl base URL under which this container reaches blob HTTP
   */
  record Task(TaskId task, FunctionId function, AppId app, String environment, String blobUrl)
      implements Caller {
    @Override
    public String identity() {
      return task.value();
    }
  }

  /** A machine's agent. */
  record Machine(MachineId machine) implements Caller {
    @Override
    public String identity() {
      return machine.value();
    }

    @Override
    public String environment() {
      return "";
    }
  }
}
