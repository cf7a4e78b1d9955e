package dev.troupe.gateway.service;

import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/** Entities by sharding, in a cluster whose processes come and go. */
public record ShardedEntities(ClusterSharding sharding, Moves moves) implements Entities {

  @Override
  public <C> EntityRef<C> ref(EntityTypeKey<C> kind, String id) {
    return sharding.entityRefFor(kind, id);
  }
}
