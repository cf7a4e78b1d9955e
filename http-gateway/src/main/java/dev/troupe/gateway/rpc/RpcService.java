package dev.troupe.gateway.rpc;

/** The RPCs of one area. */
@FunctionalInterface
public interface RpcService {

  /** Adds the area's RPCs to the table. */
  void register(RpcTable.Builder table);
}
