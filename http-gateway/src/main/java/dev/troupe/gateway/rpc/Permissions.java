package dev.troupe.gateway.rpc;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which RPC which caller may make; this file is the whole of it. An RPC that is not here nobody may
 * call.
 *
 * <p>A task is a container, and what runs in it is its user's code: it reports as itself, and it
 * uses what its environment holds ({@link RpcContext#requireWithin}). To deploy, stop, delete and
 * list what belongs to others takes a token. A machine's agent has {@code NodeLink}, and no RPC of
 * the client. What operators ask beside the RPCs, {@code AdminRoutes}, takes a token, all of it.
 */
public final class Permissions {

  private enum Right {
    /** A token only. */
    TOKEN,
    /** A container only, about itself. */
    TASK,
    /** Either. */
    BOTH
  }

  private static final Map<String, Right> RIGHTS = new TreeMap<>();

  static {
    allow(
        Right.TOKEN,
        "AppClientDisconnect",
        "AppCountLogs",
        "AppCreate",
        "AppDeploymentHistory",
        "AppFetchLogs",
        "AppGetInfo",
        "AppGetLifecycle",
        "AppGetLogs",
        "AppHeartbeat",
        "AppList",
        "AppPublish",
        "AppRollback",
        "AppRollover",
        "AppStop",
        "ClassCreate",
        "EnvironmentCreate",
        "EnvironmentDelete",
        "EnvironmentGetOrCreate",
        "EnvironmentList",
        "EnvironmentUpdate",
        "FunctionCreate",
        "FunctionPrecreate",
        "ImageBuildChainGet",
        "ImageDelete",
        "ImageGetOrCreate",
        "ImageJoinStreaming",
        "ImageListTags",
        "ImageNameDelete",
        "ImagePublish",
        "ImageTagRevisions",
        "MountBatchedCheckExistence",
        "MountGetOrCreate",
        "MountPutFile",
        "ObjectSuggest",
        "SecretDelete",
        "SecretGetInfo",
        "SecretList",
        "SecretUpdate",
        "TaskGetInfo",
        "TaskList",
        "TokenInfoGet");
    allow(
        Right.TASK,
        "ContainerHeartbeat",
        "ContainerHello",
        "FunctionGetDynamicConcurrency",
        "FunctionGetInputs",
        "FunctionPutOutputs",
        "TaskResult");
    allow(
        Right.BOTH,
        "AppGetByDeploymentName",
        "AppGetLayout",
        "AppGetOrCreate",
        "AuthTokenGet",
        "BlobCreate",
        "BlobGet",
        "ClassGet",
        "ClientHello",
        "ContainerStop",
        "FunctionBindParams",
        "FunctionCallCancel",
        "FunctionCallFromId",
        "FunctionCallGetInfo",
        "FunctionFinishInputs",
        "FunctionGet",
        "FunctionGetById",
        "FunctionGetCurrentStats",
        "FunctionGetOutputs",
        "FunctionMap",
        "FunctionPutInputs",
        "FunctionRetryInputs",
        "ImageFromId",
        "ImageGetByTag",
        "SecretGetOrCreate",
        "WorkspaceNameLookup");
  }

  private Permissions() {}

  /** Lets the call pass, or throws PERMISSION_DENIED with a sentence. */
  public static void check(Caller caller, String rpc) {
    Right right = RIGHTS.get(rpc);
    boolean may =
        right != null
            && switch (caller) {
              case Caller.Token ignored -> right != Right.TASK;
              case Caller.Task ignored -> right != Right.TOKEN;
              case Caller.Machine ignored -> false;
            };
    if (!may) {
      throw RpcFailure.denied(
          switch (caller) {
            case Caller.Token ignored -> "Only a container may call %s.".formatted(rpc);
            case Caller.Task ignored ->
                "A container may not call %s; it takes a token.".formatted(rpc);
            case Caller.Machine ignored -> "A machine may not call %s.".formatted(rpc);
          });
    }
  }

  /** The RPCs that the table knows. */
  static Set<String> known() {
    return Set.copyOf(RIGHTS.keySet());
  }

  private static void allow(Right right, String... rpcs) {
    for (String rpc : rpcs) {
      if (RIGHTS.put(rpc, right) != null) {
        throw new IllegalStateException(rpc + " stands twice in the table of permissions");
      }
    }
  }
}
