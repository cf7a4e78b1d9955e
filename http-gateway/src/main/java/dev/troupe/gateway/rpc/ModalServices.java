package dev.troupe.gateway.rpc;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.troupe.protocol.modal.AppsProto;
import dev.troupe.protocol.modal.BlobsProto;
import dev.troupe.protocol.modal.CallsProto;
import dev.troupe.protocol.modal.ContainersProto;
import dev.troupe.protocol.modal.FunctionsProto;
import dev.troupe.protocol.modal.ImagesProto;
import dev.troupe.protocol.modal.MountsProto;
import dev.troupe.protocol.modal.SecretsProto;
import dev.troupe.protocol.modal.WorkspaceProto;
import java.util.List;

/** The services declared in {@code modal/client/*.proto}: one an area. */
final class ModalServices {

  private static final List<FileDescriptor> FILES =
      List.of(
          AppsProto.getDescriptor(),
          BlobsProto.getDescriptor(),
          CallsProto.getDescriptor(),
          ContainersProto.getDescriptor(),
          FunctionsProto.getDescriptor(),
          ImagesProto.getDescriptor(),
          MountsProto.getDescriptor(),
          SecretsProto.getDescriptor(),
          WorkspaceProto.getDescriptor());

  private ModalServices() {}

  static List<ServiceDescriptor> all() {
    return FILES.stream().flatMap(file -> file.getServices().stream()).toList();
  }
}
