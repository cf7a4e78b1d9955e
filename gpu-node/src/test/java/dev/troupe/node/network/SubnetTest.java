package dev.troupe.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class SubnetTest {

  private static final String HEADER =
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";

  @Test
  void numbersItsContainers() {
    assertThat(new Subnet(0)).hasToString("10.213.0.0/22");
    assertThat(new Subnet(63).address(2)).isEqualTo("10.213.252.2");
    assertThat(new Subnet(1).address(1022)).isEqualTo("10.213.7.254");
    assertThatThrownBy(() -> new Subnet(0).address(1023))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void keepsClearOfTheMachinesRoutes() {
    RoutingTable routes =
        RoutingTable.parse(
            List.of(
                HEADER,
                "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
                "lan0\t0004D50A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"));

    assertThat(routes.overlaps(new Subnet(0))).as("10.213.0.0/22").isFalse();
    assertThat(routes.overlaps(new Subnet(1))).as("10.213.4.0/22 holds 10.213.4.0/24").isTrue();
    assertThat(routes.overlaps(new Subnet(2))).isFalse();
  }

  @Test
  void aWiderRouteCoversAllBlocks() {
    RoutingTable routes =
        RoutingTable.parse(
            List.of(HEADER, "vpn0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0"));

    assertThat(routes.overlaps(new Subnet(17))).isTrue();
  }
}
