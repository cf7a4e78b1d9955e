package dev.troupe.gateway.service;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.id.IdMint;
import dev.troupe.actors.secret.Vault;
import dev.troupe.gateway.http.BlobLinks;
import dev.troupe.gateway.link.LogFeed;
import dev.troupe.gateway.link.LogHistory;
import dev.troupe.gateway.mount.MountManifests;
import dev.troupe.gateway.rpc.Caller;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * All that the services need from outside.
 *
 * @param system where the small actors live that follow apps for those who read their logs
 * @param blocking runs what waits for a disk: virtual threads
 */
public record World(
    ActorSystem<?> system,
    Entities entities,
    Directory directory,
    BlobStore blobs,
    Vault vault,
    IdMint mint,
    BlobLinks links,
    MountManifests mounts,
    LogFeed logs,
    LogHistory history,
    Executor blocking,
    InstantSource clock,
    ServiceSettings settings) {

  /** Who a caller is to others: there are no users yet, so a token stands for the workspace. */
  String username(Caller caller) {
    return switch (caller) {
      case Caller.Token _ -> settings.workspace();
      case Caller.Task _, Caller.Machine _ -> caller.identity();
    };
  }

  /** The environments there are. */
  public Environments environments() {
    return new Environments(directory, clock, settings.defaultEnvironment());
  }

  LongPoll longPoll() {
    return new LongPoll(clock, settings.renewal(), entities.moves());
  }

  Blocking disk() {
    return new Blocking(blocking);
  }
}
