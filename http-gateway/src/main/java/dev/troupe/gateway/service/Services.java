package dev.troupe.gateway.service;

import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import java.util.List;

/** All RPCs that are served. */
public final class Services {

  private Services() {}

  /** Adds every area's RPCs to the table. */
  public static void registerAll(RpcTable.Builder table, World world) {
    Apps apps = new Apps(world);
    Definer definer = new Definer(world, apps);
    Reach reach = new Reach(world.entities(), world.settings().askTimeout());
    KnownContainers containers = new KnownContainers(world, apps);
    LogQueries logs = new LogQueries(world, apps, containers);
    List<RpcService> services =
        List.of(
            new WorkspaceService(world),
            new EnvironmentsService(world),
            new AppsService(world, apps),
            new AppVersionsService(world, apps),
            new AppInfoService(world, apps, definer),
            new LogsService(world, apps, logs),
            new LogHistoryService(world, logs),
            new FunctionsService(world, apps, definer),
            new ClassesService(world, apps, definer),
            new ImagesService(world),
            new ImageNamesService(world),
            new MountsService(world),
            new SecretsService(world),
            new BlobsService(world),
            new CallsService(world, reach),
            new ResultsService(world, reach),
            new CallInfoService(world, reach),
            new ContainersService(world),
            new TasksService(world, apps, containers));
    services.forEach(service -> service.register(table));
  }
}
