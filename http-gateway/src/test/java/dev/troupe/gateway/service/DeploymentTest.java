package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.AppCreateRequest;
import dev.troupe.protocol.modal.AppCreateResponse;
import dev.troupe.protocol.modal.AppGetByDeploymentNameRequest;
import dev.troupe.protocol.modal.AppGetByDeploymentNameResponse;
import dev.troupe.protocol.modal.AppGetLayoutRequest;
import dev.troupe.protocol.modal.AppGetLayoutResponse;
import dev.troupe.protocol.modal.AppGetOrCreateRequest;
import dev.troupe.protocol.modal.AppGetOrCreateResponse;
import dev.troupe.protocol.modal.AppPublishRequest;
import dev.troupe.protocol.modal.AppPublishResponse;
import dev.troupe.protocol.modal.AppState;
import dev.troupe.protocol.modal.ClassCreateRequest;
import dev.troupe.protocol.modal.ClassCreateResponse;
import dev.troupe.protocol.modal.ClassGetRequest;
import dev.troupe.protocol.modal.ClassGetResponse;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateRequest;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateResponse;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.FunctionBindParamsRequest;
import dev.troupe.protocol.modal.FunctionBindParamsResponse;
import dev.troupe.protocol.modal.FunctionCreateRequest;
import dev.troupe.protocol.modal.FunctionCreateResponse;
import dev.troupe.protocol.modal.FunctionGetByIdRequest;
import dev.troupe.protocol.modal.FunctionGetByIdResponse;
import dev.troupe.protocol.modal.FunctionGetRequest;
import dev.troupe.protocol.modal.FunctionGetResponse;
import dev.troupe.protocol.modal.FunctionOptions;
import dev.troupe.protocol.modal.FunctionPrecreateRequest;
import dev.troupe.protocol.modal.FunctionPrecreateResponse;
import dev.troupe.protocol.modal.ObjectCreationType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A client deploys an app, and another one finds what is in it. */
class DeploymentTest {

  private final Harness harness = new Harness();
  private final FakeApp apps = FakeApp.in(harness);
  private final FakeFunction functions = FakeFunction.in(harness);

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void definesPublishesAndFindsAFunction() {
    String app = createApp();
    FunctionCreateResponse created = createFunction(app, function("f"));

    AppPublishResponse first = publish(app, created.getFunctionId());
    AppPublishResponse second = publish(app, created.getFunctionId());
    FunctionGetResponse found = find("shop", "f");

    assertThat(first.getDeployedAt()).isPositive();
    assertThat(second.getDeployedAt()).isZero();
    assertThat(found.getFunctionId()).isEqualTo(created.getFunctionId());
    assertThat(found.getHandleMetadata()).isEqualTo(created.getHandleMetadata());
    assertThat(found.getFunction().getRankedFunctions(0).getFunction()).isEqualTo(function("f"));
    FunctionGetByIdResponse byId =
        call(
            FunctionGetByIdResponse.class,
            "FunctionGetById",
            FunctionGetByIdRequest.newBuilder().setFunctionId(created.getFunctionId()).build());
    assertThat(byId.getFunction()).isEqualTo(found.getFunction());
  }

  @Test
  void echoesWhatTheClientNeedsBack() {
    String app = createApp();

    FunctionCreateResponse created = createFunction(app, function("f"));

    assertThat(created.getFunction()).isEqualTo(function("f"));
    assertThat(created.getFunctionData().getRankedFunctionsCount()).isOne();
    assertThat(created.getHandleMetadata().getFunctionName()).isEqualTo("f");
    assertThat(created.getHandleMetadata().getDefinitionId()).isNotEmpty();
    FunctionDefinition definition = functions.latest(created.getFunctionId());
    assertThat(definition.clientVersion()).isEqualTo("1.6.4");
    assertThat(definition.environment()).isEqualTo("main");
    assertThat(apps.view(definition.app()).objects()).hasSize(1);
  }

  @Test
  void keepsTheIdThatWasPrecreated() {
    String app = createApp();
    FunctionPrecreateResponse precreated =
        call(
            FunctionPrecreateResponse.class,
            "FunctionPrecreate",
            FunctionPrecreateRequest.newBuilder().setAppId(app).setFunctionName("f").build());

    FunctionCreateResponse created =
        call(
            FunctionCreateResponse.class,
            "FunctionCreate",
            FunctionCreateRequest.newBuilder()
                .setAppId(app)
                .setFunction(function("f"))
                .setExistingFunctionId(precreated.getFunctionId())
                .build());

    assertThat(created.getFunctionId()).isEqualTo(precreated.getFunctionId());
  }

  @Test
  void takesNoIdOfAnotherApp() {
    String mine = createApp();
    String foreign = createFunction(mine, function("f")).getFunctionId();
    AppCreateResponse other =
        harness.call(
            AppCreateResponse.class,
            Harness.TOKEN,
            "AppCreate",
            "another key",
            AppCreateRequest.getDefaultInstance());

    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class,
            () ->
                call(
                    FunctionCreateResponse.class,
                    "FunctionCreate",
                    FunctionCreateRequest.newBuilder()
                        .setAppId(other.getAppId())
                        .setFunction(function("g"))
                        .setExistingFunctionId(foreign)
                        .build()));

    assertThat(failure.code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
  }

  @Test
  void saysWhatIsNotThereAndWhere() {
    String app = createApp();
    publish(app, createFunction(app, function("f")).getFunctionId());

    RpcFailure noFunction = catchThrowableOfType(RpcFailure.class, () -> find("shop", "g"));
    RpcFailure noApp = catchThrowableOfType(RpcFailure.class, () -> find("store", "f"));

    assertThat(noFunction.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(noFunction.description()).contains("'shop'", "'main'", "'g'", "It has: f");
    assertThat(noApp.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(noApp.description()).contains("'store'", "'main'");
  }

  @Test
  void saysInWhichEnvironmentAnAppIs() {
    String app = createApp();
    publish(app, createFunction(app, function("f")).getFunctionId());
    call(
        EnvironmentGetOrCreateResponse.class,
        "EnvironmentGetOrCreate",
        EnvironmentGetOrCreateRequest.newBuilder()
            .setDeploymentName("dev")
            .setObjectCreationType(ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING)
            .build());

    RpcFailure elsewhere = catchThrowableOfType(RpcFailure.class, () -> find("dev", "shop", "f"));
    RpcFailure nowhere = catchThrowableOfType(RpcFailure.class, () -> find("prod", "shop", "f"));

    assertThat(elsewhere.description()).contains("'dev'", "one of that name in 'main'");
    assertThat(nowhere.description()).contains("Environment 'prod' does not exist");
  }

  @Test
  void keepsAContainerInItsEnvironment() {
    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class,
            () ->
                harness.call(
                    FunctionGetResponse.class,
                    Harness.TASK,
                    "FunctionGet",
                    FunctionGetRequest.newBuilder()
                        .setAppName("shop")
                        .setObjectTag("f")
                        .setEnvironmentName("prod")
                        .build()));

    assertThat(failure.code()).isEqualTo(StatusCode.PERMISSION_DENIED);
  }

  @Test
  void bindsAClassToParameters() {
    String app = createApp();
    String service =
        createFunction(app, function("C.*").toBuilder().setIsClass(true).build()).getFunctionId();
    ClassCreateResponse created =
        call(
            ClassCreateResponse.class,
            "ClassCreate",
            ClassCreateRequest.newBuilder().setAppId(app).setOnlyClassFunction(true).build());
    call(
        AppPublishResponse.class,
        "AppPublish",
        AppPublishRequest.newBuilder()
            .setAppId(app)
            .setName("shop")
            .setAppState(AppState.APP_STATE_DEPLOYED)
            .putFunctionIds("C.*", service)
            .putClassIds("C", created.getClassId())
            .build());

    FunctionBindParamsResponse one = bind(service, "a", 5);
    FunctionBindParamsResponse same = bind(service, "a", 5);
    FunctionBindParamsResponse other = bind(service, "b", 5);

    assertThat(one).isEqualTo(same);
    assertThat(other.getBoundFunctionId()).isNotEqualTo(one.getBoundFunctionId());
    FunctionDefinition variant = functions.latest(one.getBoundFunctionId());
    assertThat(variant.serializedParams())
        .isEqualTo("a".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertThat(variant.timeout()).hasSeconds(5);
    assertThat(one.getHandleMetadata().getBaseFunctionId()).isEqualTo(service);
    assertThat(functions.isPublished(one.getBoundFunctionId())).isTrue();
    ClassGetResponse found =
        call(
            ClassGetResponse.class,
            "ClassGet",
            ClassGetRequest.newBuilder().setAppName("shop").setObjectTag("C").build());
    assertThat(found.getClassId()).isEqualTo(created.getClassId());
    assertThat(found.getHandleMetadata().getClassFunctionId()).isEqualTo(service);
    assertThat(layout(app).getAppLayout().getObjectsCount()).isEqualTo(2);
  }

  @Test
  void tellsAClassFromAFunction() {
    String app = createApp();
    call(
        AppPublishResponse.class,
        "AppPublish",
        AppPublishRequest.newBuilder()
            .setAppId(app)
            .setName("shop")
            .setAppState(AppState.APP_STATE_DEPLOYED)
            .putClassIds("C", "cs-0000000000000000000001")
            .build());

    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> find("shop", "C"));

    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(failure.detailsBytes()).isNotEmpty();
  }

  @Test
  void makesAnEmptyAppWhereOneIsWanted() {
    AppGetOrCreateRequest request =
        AppGetOrCreateRequest.newBuilder()
            .setAppName("place")
            .setObjectCreationType(ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING)
            .build();

    String made = call(AppGetOrCreateResponse.class, "AppGetOrCreate", request).getAppId();
    String found =
        harness
            .call(
                AppGetOrCreateResponse.class,
                Harness.TOKEN,
                "AppGetOrCreate",
                "another key",
                request)
            .getAppId();

    assertThat(found).isEqualTo(made);
  }

  @Test
  void answersALookupOfAnAppThatIsNotThereWithItsEnvironment() {
    AppGetByDeploymentNameResponse answer =
        call(
            AppGetByDeploymentNameResponse.class,
            "AppGetByDeploymentName",
            AppGetByDeploymentNameRequest.newBuilder().setName("shop").build());

    assertThat(answer.getAppId()).isEmpty();
    assertThat(answer.getEnvironmentName()).isEqualTo("main");
  }

  private String createApp() {
    return call(
            AppCreateResponse.class,
            "AppCreate",
            AppCreateRequest.newBuilder()
                .setDescription("shop")
                .setAppState(AppState.APP_STATE_INITIALIZING)
                .build())
        .getAppId();
  }

  private FunctionCreateResponse createFunction(String app, Function function) {
    return call(
        FunctionCreateResponse.class,
        "FunctionCreate",
        FunctionCreateRequest.newBuilder().setAppId(app).setFunction(function).build());
  }

  private AppPublishResponse publish(String app, String function) {
    return call(
        AppPublishResponse.class,
        "AppPublish",
        AppPublishRequest.newBuilder()
            .setAppId(app)
            .setName("shop")
            .setAppState(AppState.APP_STATE_DEPLOYED)
            .putFunctionIds("f", function)
            .build());
  }

  private FunctionBindParamsResponse bind(String function, String params, int timeout) {
    return call(
        FunctionBindParamsResponse.class,
        "FunctionBindParams",
        FunctionBindParamsRequest.newBuilder()
            .setFunctionId(function)
            .setSerializedParams(ByteString.copyFromUtf8(params))
            .setFunctionOptions(FunctionOptions.newBuilder().setTimeoutSecs(timeout))
            .build());
  }

  private AppGetLayoutResponse layout(String app) {
    return call(
        AppGetLayoutResponse.class,
        "AppGetLayout",
        AppGetLayoutRequest.newBuilder().setAppId(app).build());
  }

  private FunctionGetResponse find(String app, String tag) {
    return find("", app, tag);
  }

  private FunctionGetResponse find(String environment, String app, String tag) {
    return call(
        FunctionGetResponse.class,
        "FunctionGet",
        FunctionGetRequest.newBuilder()
            .setAppName(app)
            .setObjectTag(tag)
            .setEnvironmentName(environment)
            .build());
  }

  private <A extends Message> A call(Class<A> answer, String rpc, Message request) {
    Caller caller = Harness.TOKEN;
    return harness.call(answer, caller, rpc, request);
  }

  private static Function function(String name) {
    return Function.newBuilder().setFunctionName(name).setModuleName("shop").build();
  }
}
