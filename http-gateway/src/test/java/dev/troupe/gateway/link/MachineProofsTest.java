package dev.troupe.gateway.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.IdMint;
import dev.troupe.actors.id.MachineId;
import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.MountFile;
import dev.troupe.protocol.link.StartContainer;
import org.junit.jupiter.api.Test;

class MachineProofsTest {

  private static final MachineId ONE = new MachineId("one");
  private static final MachineId TWO = new MachineId("two");

  private final MachineProofs proofs = new MachineProofs(new IdMint(new byte[32]));

  private static Mount mount(String digest) {
    return Mount.newBuilder().addFiles(MountFile.newBuilder().setSha256Hex(digest)).build();
  }

  private static ContainerReport report(StartContainer order) {
    return ContainerReport.newBuilder()
        .setTaskId(order.getTaskId())
        .setFunctionId(order.getFunctionId())
        .setAppId(order.getAppId())
        .setProof(order.getProof())
        .build();
  }

  @Test
  void aContainerIsItsMachinesAndNoOthersAndOfItsFunctionAlone() {
    StartContainer order =
        proofs.sign(
            ONE,
            StartContainer.newBuilder()
                .setTaskId("ta-1")
                .setFunctionId("fu-1")
                .setAppId("ap-1")
                .build());
    ContainerReport report = report(order);
    assertThat(proofs.allows(ONE, report)).isTrue();
    assertThat(proofs.allows(TWO, report)).isFalse();
    assertThat(proofs.allows(ONE, report.toBuilder().setFunctionId("fu-2").build())).isFalse();
    assertThat(proofs.allows(ONE, report.toBuilder().setAppId("ap-2").build())).isFalse();
    assertThat(proofs.allows(ONE, report.toBuilder().clearProof().build())).isFalse();
    assertThat(proofs.allows(null, report.toBuilder().clearProof().build())).isTrue();
    MachineProofs later = new MachineProofs(new IdMint(new byte[32]));
    assertThat(later.allows(ONE, report)).isTrue();
  }

  @Test
  void everyFileOfAnOrderMayBeFetchedByItsMachineAlone() {
    StartContainer function =
        StartContainer.newBuilder().setTaskId("ta-2").addMounts(mount("c")).build();
    StartContainer order =
        StartContainer.newBuilder()
            .setTaskId("ta-1")
            .addMounts(mount("a"))
            .setImage(
                ImageChain.newBuilder()
                    .addLayers(
                        Layer.newBuilder().setContext(mount("b")).setBuildFunction(function)))
            .build();

    StartContainer signed = proofs.sign(ONE, order);

    Layer layer = signed.getImage().getLayers(0);
    holds("a", signed.getMounts(0));
    holds("b", layer.getContext());
    holds("c", layer.getBuildFunction().getMounts(0));
    assertThat(proofs.holdsContent(ONE, "a", "")).isFalse();
  }

  private void holds(String digest, Mount mount) {
    String key = mount.getFiles(0).getKey();
    assertThat(proofs.holdsContent(ONE, digest, key)).isTrue();
    assertThat(proofs.holdsContent(TWO, digest, key)).isFalse();
    assertThat(proofs.holdsContent(ONE, digest + "0", key)).isFalse();
  }
}
