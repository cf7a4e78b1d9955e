package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.placement.MachineBoard;
import dev.troupe.actors.placement.PlacementProtocol;
import java.time.InstantSource;
import java.util.function.Supplier;

/** All that a function needs from outside, so that a test can hand it probes and a clock. */
public record World(
    CallLog callLog,
    MachineBoard board,
    Directory directory,
    Mail mail,
    InstantSource clock,
    Supplier<TaskId> newTask,
    FunctionSettings settings) {

  /** Other entities, by id. Never blocks. */
  public interface Mail {

    void app(AppId app, AppProtocol.Command command);

    void machine(MachineId machine, NodeProtocol.Command command);

    void pool(String pool, PlacementProtocol.Command command);
  }
}
