package dev.troupe.gateway;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.blob.ContentSource;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.id.IdMint;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.actors.log.LogIntake;
import dev.troupe.actors.secret.Vault;
import dev.troupe.cluster.Departures;
import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.gateway.admin.AdminRoutes;
import dev.troupe.gateway.auth.DirectoryCredentials;
import dev.troupe.gateway.auth.MachineCertificates;
import dev.troupe.gateway.auth.MachineCheck;
import dev.troupe.gateway.grpc.Admission;
import dev.troupe.gateway.grpc.Duplex;
import dev.troupe.gateway.grpc.GrpcEndpoint;
import dev.troupe.gateway.http.BlobHttp;
import dev.troupe.gateway.http.BlobLinks;
import dev.troupe.gateway.http.BlockingRoutes;
import dev.troupe.gateway.http.ClusterKeys;
import dev.troupe.gateway.http.UrlSigner;
import dev.troupe.gateway.join.JoinRoute;
import dev.troupe.gateway.join.JoinTokens;
import dev.troupe.gateway.link.LinkEndpoint;
import dev.troupe.gateway.link.LogFollows;
import dev.troupe.gateway.link.LogReads;
import dev.troupe.gateway.link.MachineProofs;
import dev.troupe.gateway.link.NodeLinks;
import dev.troupe.gateway.mount.MountManifests;
import dev.troupe.gateway.port.MachinePort;
import dev.troupe.gateway.port.MachineRoutes;
import dev.troupe.gateway.port.PublicPort;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.service.Moves;
import dev.troupe.gateway.service.NodeListing;
import dev.troupe.gateway.service.ServiceSettings;
import dev.troupe.gateway.service.Services;
import dev.troupe.gateway.service.ShardedEntities;
import dev.troupe.gateway.service.World;
import dev.troupe.protocol.link.ControlPlane;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;

/** The doors of a server, open: the public port, the containers' door, the machines' links. */
public final class Gateway implements AutoCloseable {

  private final PublicPort port;
  private final MachinePort machines;
  private final NodeLinks links;
  private final BlobDoor blobDoor;
  private final Ports ports;
  private final ExecutorService blocking;

  private Gateway(
      PublicPort port,
      MachinePort machines,
      NodeLinks links,
      BlobDoor blobDoor,
      Ports ports,
      ExecutorService blocking) {
    this.port = port;
    this.machines = machines;
    this.links = links;
    this.blobDoor = blobDoor;
    this.ports = ports;
    this.blocking = blocking;
  }

  /**
   * What a gateway needs from outside.
   *
   * @param serverKey signs links and names what requests create; the same in all gateways of a
   *     cluster
   * @param authority of machines; the same in all, too
   * @param keys what a process that joins the cluster is given
   */
  public record Ports(
      Directory directory,
      BlobStore blobs,
      LogArchive logs,
      Vault vault,
      byte[] serverKey,
      Supplier<CertificateAuthority> authority,
      ClusterKeys.Keys keys,
      InstantSource clock) {}

  /**
   * Opens the doors. The kinds of entities must have been started with sharding, as hosts or as
   * proxies. Fails with {@link PublicPort.PortRefused}, whose message is for the user, where the
   * port can't be bound.
   */
  public static CompletionStage<Gateway> start(
      ActorSystem<?> system, GatewaySettings settings, ServiceSettings services, Ports ports) {
    ExecutorService blocking = Executors.newVirtualThreadPerTaskExecutor();
    UrlSigner signer = new UrlSigner(ports.serverKey(), ports.clock(), settings.blobLinkValidity());
    MountManifests mounts =
        new MountManifests(ports.blobs(), ports.directory(), blocking, ports.clock());
    LogReads history = new LogReads(ports.logs(), blocking);
    LogFollows logs = new LogFollows(history, ports.logs(), blocking);
    Departures departures = Departures.of(system);
    World world =
        new World(
            system,
            new ShardedEntities(ClusterSharding.get(system), Moves.of(system, departures)),
            ports.directory(),
            ports.blobs(),
            ports.vault(),
            new IdMint(ports.serverKey()),
            new BlobLinks(signer),
            mounts,
            logs,
            history,
            blocking,
            ports.clock(),
            services);
    RpcTable.Builder rpcs = RpcTable.builder();
    Services.registerAll(rpcs, world);
    RpcTable table = rpcs.build();
    Admission admission = Admission.ofHeap(settings.admissionPatience());
    NodeLinks links =
        NodeLinks.of(world, departures, logs, table, Duplex.largestMessageBytes(admission));
    DirectoryCredentials credentials = new DirectoryCredentials(ports.directory(), ports.clock());
    GrpcEndpoint grpc = new GrpcEndpoint(table, credentials, admission, system, blocking);
    BlobDoor blobDoor = new BlobHttp(ports.blobs(), signer);
    MachineCheck machineCheck = new MachineCertificates(ports.directory());
    Materializer materializer = SystemMaterializer.get(system).materializer();
    BlockingRoutes routes =
        new BlockingRoutes(
            blobDoor,
            ports.blobs(),
            ports.logs(),
            machineCheck,
            new MachineProofs(world.mint())::holdsContent,
            blocking,
            materializer);
    JoinTokens joins = new JoinTokens(ports.directory(), ports.clock());
    CompletableFuture<InetSocketAddress> machineAddress = new CompletableFuture<>();
    AdminRoutes admin =
        new AdminRoutes(
            credentials,
            joins,
            new NodeListing(world),
            world.entities(),
            ports.directory(),
            ports.authority(),
            machineAddress::join,
            blocking,
            materializer);
    MachineRoutes machineRoutes =
        new MachineRoutes(
            new LinkEndpoint(links, machineCheck, admission, system),
            routes,
            new JoinRoute(
                ports.authority(),
                ports.directory(),
                joins,
                ports.clock(),
                blocking,
                materializer));
    ClusterKeys keys = new ClusterKeys(ports.serverKey(), ports.keys(), ports.clock(), blocking);
    return PublicPort.bind(system, settings.host(), settings.port(), grpc, routes, admin, keys)
        .thenCompose(
            port ->
                MachinePort.bind(
                        system,
                        settings.machineHost(),
                        settings.machinePort(port.address().getPort()),
                        ports.authority(),
                        ports.clock(),
                        machineRoutes)
                    .thenApply(
                        machines -> {
                          machineAddress.complete(machines.address());
                          return new Gateway(port, machines, links, blobDoor, ports, blocking);
                        }));
  }

  /** Where machines dial. */
  public InetSocketAddress machineAddress() {
    return machines.address();
  }

  /** Where the public port listens. */
  public InetSocketAddress address() {
    return port.address();
  }

  /** What the embedded agent dials. */
  public ControlPlane controlPlane() {
    return links;
  }

  /** What stands behind the sockets of the embedded agent's containers. */
  public ContainerDoor containerDoor() {
    return links.containerDoor();
  }

  /** Blob HTTP for the embedded agent's containers. */
  public BlobDoor blobDoor() {
    return blobDoor;
  }

  /** Content for the embedded agent. */
  public ContentSource contentSource() {
    return ports.blobs();
  }

  /** Takes segments of the embedded agent's logs. */
  public LogIntake logIntake() {
    return ports.logs();
  }

  /** Starts no more containers and lets those that run end with what they run. */
  public void retireContainers() {
    links.retire();
  }

  /** Closes the public port once its calls have ended, or {@code patience} has passed. */
  public CompletionStage<Void> drain(Duration patience) {
    return port.drain(patience).thenCompose(_ -> machines.close());
  }

  /** Ends what the doors ran on; to be called when no door is used any more. */
  @Override
  public void close() {
    blocking.shutdown();
  }
}
