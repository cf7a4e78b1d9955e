package dev.troupe.gateway.service;

import com.google.protobuf.UnknownFieldSet;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.Function.FunctionType;
import dev.troupe.protocol.modal.FunctionOptions;
import dev.troupe.protocol.modal.MethodDefinition;
import dev.troupe.protocol.modal.WebhookType;
import java.util.Map;
import java.util.TreeMap;

/**
 * Refuses definitions that ask for what this release does not do. What is refused changes how a
 * function behaves or how it is guarded; a wish that does not (a region, a runtime) is passed over.
 */
final class Unserved {

  /** Fields of a function that are not declared, since what they ask for is not served. */
  private static final Map<Integer, String> FUNCTION_FIELDS =
      new TreeMap<>(
          Map.of(
              16, "network file systems (network_file_systems=)",
              22, "interactive functions (modal run -i)",
              47, "bucket mounts",
              51, "cloud bucket mounts (CloudBucketMount)",
              89, "servers (@app.server, http_server)",
              96, "network access rules"));

  private static final int OPTIONS_BUCKET_MOUNTS = 20;

  private Unserved() {}

  /** Throws UNIMPLEMENTED, naming the feature, where a function needs what is not served. */
  static void check(Function function) {
    String name = function.getFunctionName();
    refuse(isWeb(function.getWebhookConfig().getType()), name, "web endpoints");
    refuse(function.getFunctionType() == FunctionType.FUNCTION_TYPE_GENERATOR, name, "generators");
    for (MethodDefinition method : function.getMethodDefinitionsMap().values()) {
      String methodName = method.getFunctionName();
      refuse(isWeb(method.getWebhookConfig().getType()), methodName, "web endpoints");
      refuse(
          method.getFunctionType() == FunctionType.FUNCTION_TYPE_GENERATOR,
          methodName,
          "generators");
    }
    refuse(function.hasSchedule(), name, "schedules (schedule=)");
    refuse(function.getVolumeMountsCount() > 0, name, "volumes (volumes=)");
    refuse(!function.getProxyId().isEmpty(), name, "proxies (proxy=)");
    refuse(function.getIsServer(), name, "servers (@app.server)");
    refuse(function.getExperimentalGroupSize() > 0, name, "clusters (@clustered)");
    refuse(function.getI6PnEnabled(), name, "the private network between containers (i6pn=)");
    refuse(function.getUntrusted(), name, "restrict_modal_access");
    UnknownFieldSet others = function.getUnknownFields();
    FUNCTION_FIELDS.forEach((number, feature) -> refuse(others.hasField(number), name, feature));
  }

  /** Throws UNIMPLEMENTED, naming the feature, where a variant needs what is not served. */
  static void check(String name, FunctionOptions options) {
    refuse(
        options.getVolumeMountsCount() > 0 || options.getReplaceVolumeMounts(),
        name,
        "volumes (volumes=)");
    refuse(
        options.getReplaceCloudBucketMounts()
            || options.getUnknownFields().hasField(OPTIONS_BUCKET_MOUNTS),
        name,
        "cloud bucket mounts (CloudBucketMount)");
    refuse(options.hasPinnedAppVersion(), name, "versions of an app (version=)");
  }

  private static boolean isWeb(WebhookType type) {
    return type != WebhookType.WEBHOOK_TYPE_UNSPECIFIED;
  }

  private static void refuse(boolean asked, String name, String feature) {
    if (asked) {
      throw RpcFailure.unimplemented(
          "Troupe does not serve %s yet, which '%s' needs.".formatted(feature, name));
    }
  }
}
