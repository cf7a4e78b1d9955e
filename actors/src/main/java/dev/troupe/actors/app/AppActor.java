package dev.troupe.actors.app;

final class AppActor {

  sealed interface Internal extends AppProtocol.Command {}

  record Tick() implements Internal {}

  private AppActor() {}
}
