package dev.troupe.actors.placement;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GpuTypesTest {

  @ParameterizedTest
  @CsvSource({
    "H100, H100",
    "h100, H100",
    "H100!, H100",
    "B200+, B200",
    "a10, A10G",
    "A10G, A10G",
    "A100, A100",
    "a100-80gb, A100-80GB",
    "any, ANY",
    "L40S, L40S",
    "T4, T4"
  })
  void readsTypesAsUsersSayThem(String said, String type) {
    assertThat(GpuTypes.ofWish(said)).contains(type);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "H10", "H100!!", "A100-60GB", "GPU", "H100,H100"})
  void knowsNoOther(String said) {
    assertThat(GpuTypes.ofWish(said)).isEmpty();
    assertThat(GpuTypes.ofSimulated(said)).isEmpty();
  }

  @Test
  void aDeviceIsOfOneType() {
    assertThat(GpuTypes.ofSimulated("a100")).contains("A100-40GB");
    assertThat(GpuTypes.ofSimulated("any")).isEmpty();
    assertThat(GpuTypes.ofSimulated("H100!")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "Tesla T4, 16, T4",
    "NVIDIA L4, 24, L4",
    "NVIDIA A10G, 24, A10G",
    "NVIDIA A10, 24, A10G",
    "NVIDIA A100-SXM4-40GB, 40, A100-40GB",
    "NVIDIA A100 80GB PCIe, 80, A100-80GB",
    "NVIDIA L40S, 48, L40S",
    "NVIDIA H100 80GB HBM3, 80, H100",
    "NVIDIA H200, 141, H200",
    "NVIDIA B200, 180, B200",
    "NVIDIA GeForce RTX 4090, 24, RTX-4090",
    "NVIDIA L40, 48, L40",
    "NVIDIA GH200 480GB, 96, GH200-480GB"
  })
  void namesProductsByTheirTypes(String product, long gibibytes, String type) {
    assertThat(GpuTypes.ofProduct(product, gibibytes << 30)).isEqualTo(type);
  }
}
