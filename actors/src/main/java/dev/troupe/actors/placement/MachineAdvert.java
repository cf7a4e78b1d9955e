package dev.troupe.actors.placement;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.cluster.ClusterMessage;
import java.util.List;
import java.util.Map;

/**
 * What a machine's counterpart tells every control process of it, at most every 100 ms: all that
 * placement decides on.
 *
 * @param revision grows; an older advert never replaces a newer one
 * @param linked false: nothing can be placed there now
 */
public record MachineAdvert(
    MachineId machine,
    long revision,
    boolean linked,
    Capacity capacity,
    Capacity free,
    List<ImageId> images,
    Map<String, String> labels)
    implements ClusterMessage {

  /** Topic on which adverts go to every process of the cluster. */
  public static final String TOPIC = "machine-adverts";
}
