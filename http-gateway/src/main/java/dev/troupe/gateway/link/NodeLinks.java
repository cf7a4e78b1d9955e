package dev.troupe.gateway.link;

import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.cluster.Departures;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.link.MachineLink.Carrier;
import dev.troupe.gateway.link.MachineLink.Message;
import dev.troupe.gateway.link.MachineLink.Surroundings;
import dev.troupe.gateway.mount.MountManifests;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.secret.SecretBox;
import dev.troupe.gateway.service.World;
import dev.troupe.protocol.link.ControlPlane;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.ToMachine;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;

/**
 * The control plane's end of all links. The embedded agent dials by a method call and is trusted,
 * being the same process; others come by {@link LinkEndpoint}. Each link is an actor, and the
 * agent's inbox is called from it.
 */
public final class NodeLinks implements ControlPlane {

  private final ActorSystem<?> system;
  private final Surroundings around;

  private NodeLinks(ActorSystem<?> system, Surroundings around) {
    this.system = system;
    this.around = around;
  }

  /**
   * Links that are answered from this table.
   *
   * @param departures after which a link says anew what its machine has
   * @param largestBytes of a message that is taken of machines elsewhere
   */
  public static NodeLinks of(
      World world, Departures departures, LogFollows logs, RpcTable table, long largestBytes) {
    TaskRegistry tasks = new TaskRegistry(world.system());
    MountManifests mounts = world.mounts();
    LaunchResolver resolver =
        new LaunchResolver(
            world.entities(),
            world.blobs(),
            mounts,
            new SecretBox(world.vault()),
            world.blocking(),
            world.environments()::nameOf,
            world.settings().askTimeout());
    DoorTable door = new DoorTable(table, tasks, world.system(), world.blocking());
    return new NodeLinks(
        world.system(),
        new Surroundings(
            world.entities(),
            resolver,
            tasks,
            LinkRelay.start(world.system(), logs),
            door,
            new MachineProofs(world.mint()),
            new ConcurrentHashMap<>(),
            departures,
            largestBytes));
  }

  /** What stands behind the sockets of containers. */
  public ContainerDoor containerDoor() {
    return around.door();
  }

  /** Starts no more containers and lets those that run end with what they run. */
  public void retire() {
    around.door().retire();
  }

  @Override
  public Link dial(Consumer<ToMachine> inbox, Consumer<String> lost) {
    return new Dialled(open(new Carrier(inbox, lost, null, () -> Duration.ZERO)));
  }

  /** A link that somebody carries, before the agent's first word. */
  ActorRef<Message> open(Carrier carrier) {
    String linkId = UUID.randomUUID().toString();
    return system.systemActorOf(
        MachineLink.create(linkId, carrier, around), "link-" + linkId, Props.empty());
  }

  /** The agent's end. */
  private record Dialled(ActorRef<Message> link) implements Link {
    @Override
    public void send(FromMachine message) {
      link.tell(new Message.Heard(message, Reservation.NONE));
    }

    @Override
    public void close() {
      link.tell(new Message.Close("The agent closed the link."));
    }
  }
}
