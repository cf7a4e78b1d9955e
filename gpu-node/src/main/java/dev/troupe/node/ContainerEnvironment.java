package dev.troupe.node;

import dev.troupe.node.image.ImageRecord;
import dev.troupe.protocol.link.StartContainer;
import java.util.LinkedHashMap;
import java.util.Map;

/** The variables a container starts with: pure. Later ones win. */
final class ContainerEnvironment {

  static final String DOOR_FOLDER = "/run/troupe";
  static final String SOCKET = "door.sock";
  static final String ARGUMENTS = "arguments";

  private static final String RUNNER_PATH = "/root:/pkg";

  static Map<String, String> of(
      StartContainer order, ImageRecord image, Map<String, String> ofTheMachine) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("HOME", "/root");
    environment.put("PYTHONUNBUFFERED", "1");
    if (!order.getBlockNetwork()) {
      environment.putAll(ofTheMachine);
    }
    environment.putAll(image.environment());
    environment.putAll(order.getEnvironmentMap());
    environment.merge("PYTHONPATH", RUNNER_PATH, (own, runner) -> runner + ":" + own);
    // What the runner can't do without is nobody's to change.
    environment.put("MODAL_SERVER_URL", "unix://" + DOOR_FOLDER + "/" + SOCKET);
    environment.put("MODAL_CONTAINER_ARGUMENTS_PATH", DOOR_FOLDER + "/" + ARGUMENTS);
    environment.put("MODAL_IS_REMOTE", "1");
    environment.put("MODAL_TASK_ID", order.getTaskId());
    environment.put("MODAL_ENVIRONMENT", order.getEnvironmentName());
    environment.put("MODAL_CLOUD_PROVIDER", "CLOUD_PROVIDER_UNSPECIFIED");
    int layers = order.getImage().getLayersCount();
    if (layers > 0) {
      environment.put("MODAL_IMAGE_ID", order.getImage().getLayers(layers - 1).getImageId());
    }
    return environment;
  }

  private ContainerEnvironment() {}
}
