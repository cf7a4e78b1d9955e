package dev.troupe.gateway.link;

import dev.troupe.actors.id.IdMint;
import dev.troupe.actors.id.MachineId;
import dev.troupe.protocol.link.BuildImage;
import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.MountFile;
import dev.troupe.protocol.link.StartContainer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a machine elsewhere is given with an order, and shows later: that a container was placed on
 * it, and that it was told to fetch a file. So it speaks for no container, and reads no file, that
 * was never given to it, and no server must remember what was; made from the server key, they hold
 * after a restart and at every gateway.
 */
public final class MachineProofs {

  private static final Logger LOG = LoggerFactory.getLogger(MachineProofs.class);
  private static final String CONTAINER = "a container on a machine";
  private static final String CONTENT = "content for a machine";

  private final IdMint mint;

  /** Proofs made from the key of this mint. */
  public MachineProofs(IdMint mint) {
    this.mint = mint;
  }

  // ---- orders

  /** An order with all that its machine will have to show. */
  StartContainer sign(MachineId machine, StartContainer order) {
    StartContainer.Builder signed =
        order.toBuilder()
            .setProof(
                container(machine, order.getTaskId(), order.getFunctionId(), order.getAppId()))
            .setImage(sign(machine, order.getImage()))
            .clearMounts();
    order.getMountsList().forEach(mount -> signed.addMounts(sign(machine, mount)));
    return signed.build();
  }

  /** An order with all that its machine will have to show. */
  BuildImage sign(MachineId machine, BuildImage order) {
    return order.toBuilder().setImage(sign(machine, order.getImage())).build();
  }

  private ImageChain sign(MachineId machine, ImageChain chain) {
    ImageChain.Builder signed = ImageChain.newBuilder();
    for (Layer layer : chain.getLayersList()) {
      Layer.Builder each = layer.toBuilder();
      if (layer.hasContext()) {
        each.setContext(sign(machine, layer.getContext()));
      }
      if (layer.hasBuildFunction()) {
        each.setBuildFunction(sign(machine, layer.getBuildFunction()));
      }
      signed.addLayers(each);
    }
    return signed.build();
  }

  private Mount sign(MachineId machine, Mount mount) {
    Mount.Builder signed = mount.toBuilder().clearFiles();
    for (MountFile file : mount.getFilesList()) {
      signed.addFiles(file.toBuilder().setKey(content(machine, file.getSha256Hex())));
    }
    return signed.build();
  }

  // ---- what is shown

  /**
   * Whether the container of a report was placed on the machine that sends it.
   *
   * @param machine null for that of this process, which is believed
   */
  boolean allows(@Nullable MachineId machine, ContainerReport report) {
    boolean placed =
        machine == null
            || equal(
                container(machine, report.getTaskId(), report.getFunctionId(), report.getAppId()),
                report.getProof());
    if (!placed) {
      LOG.warn(
          "Machine {} speaks for container {}, which was not placed on it",
          machine,
          report.getTaskId());
    }
    return placed;
  }

  /** Whether a machine was told to fetch this content. */
  public boolean holdsContent(MachineId machine, String sha256Hex, String key) {
    return equal(content(machine, sha256Hex), key);
  }

  private String container(MachineId machine, String task, String function, String app) {
    return mint.keyFor(machine.value(), CONTAINER, "of " + task, function + " " + app);
  }

  private String content(MachineId machine, String sha256Hex) {
    return mint.keyFor(machine.value(), CONTENT, "of " + sha256Hex, "key");
  }

  private static boolean equal(String expected, String shown) {
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), shown.getBytes(StandardCharsets.UTF_8));
  }
}
