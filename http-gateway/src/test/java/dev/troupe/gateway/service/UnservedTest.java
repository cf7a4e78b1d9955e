package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.Function.FunctionType;
import dev.troupe.protocol.modal.FunctionOptions;
import dev.troupe.protocol.modal.MethodDefinition;
import dev.troupe.protocol.modal.Schedule;
import dev.troupe.protocol.modal.SchedulerPlacement;
import dev.troupe.protocol.modal.VolumeMount;
import dev.troupe.protocol.modal.WebhookConfig;
import dev.troupe.protocol.modal.WebhookType;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UnservedTest {

  private static final WebhookConfig WEB =
      WebhookConfig.newBuilder().setType(WebhookType.WEBHOOK_TYPE_ASGI_APP).build();

  @Test
  void letsPassWhatChangesNothing() {
    Function function =
        function()
            .setSchedulerPlacement(SchedulerPlacement.newBuilder().addRegions("eu"))
            .setCheckpointingEnabled(true)
            .setCloudProviderStr("aws")
            .build();

    assertThatCode(() -> Unserved.check(function)).doesNotThrowAnyException();
  }

  @Test
  void namesTheFeatureAndTheFunction() {
    Map<String, Function.Builder> refused =
        Map.of(
            "web endpoints", function().setWebhookConfig(WEB),
            "generators", function().setFunctionType(FunctionType.FUNCTION_TYPE_GENERATOR),
            "schedules", function().setSchedule(Schedule.getDefaultInstance()),
            "volumes", function().addVolumeMounts(VolumeMount.getDefaultInstance()),
            "proxies", function().setProxyId("pr-1"),
            "servers", function().setIsServer(true),
            "clusters", function().setExperimentalGroupSize(2),
            "restrict_modal_access", function().setUntrusted(true),
            "private network", function().setI6PnEnabled(true));

    refused.forEach(
        (feature, function) -> {
          RpcFailure failure =
              catchThrowableOfType(RpcFailure.class, () -> Unserved.check(function.build()));
          assertThat(failure.code()).isEqualTo(StatusCode.UNIMPLEMENTED);
          assertThat(failure.description()).contains(feature, "'f'");
        });
  }

  @Test
  void looksAtTheMethodsOfAClass() {
    Function web =
        function()
            .putMethodDefinitions(
                "m",
                MethodDefinition.newBuilder().setFunctionName("C.m").setWebhookConfig(WEB).build())
            .build();

    assertThatThrownBy(() -> Unserved.check(web)).hasMessageContaining("'C.m'");
  }

  /** Fails where such a field is declared and served some day, and the table still refuses it. */
  @Test
  void seesFieldsThatAreNotDeclared() throws InvalidProtocolBufferException {
    for (int number : new int[] {16, 22, 47, 51, 89, 96}) {
      Function function =
          Function.parseFrom(
              function()
                  .setUnknownFields(
                      UnknownFieldSet.newBuilder()
                          .addField(
                              number,
                              UnknownFieldSet.Field.newBuilder()
                                  .addLengthDelimited(ByteString.EMPTY)
                                  .build())
                          .build())
                  .build()
                  .toByteArray());

      assertThatThrownBy(() -> Unserved.check(function))
          .as("field %d", number)
          .isInstanceOf(RpcFailure.class);
    }
  }

  @Test
  void refusesOptionsThatAreNotServed() {
    assertThatThrownBy(
            () ->
                Unserved.check(
                    "f", FunctionOptions.newBuilder().setReplaceVolumeMounts(true).build()))
        .hasMessageContaining("volumes");
    assertThatCode(() -> Unserved.check("f", FunctionOptions.getDefaultInstance()))
        .doesNotThrowAnyException();
  }

  private static Function.Builder function() {
    return Function.newBuilder().setFunctionName("f");
  }
}
