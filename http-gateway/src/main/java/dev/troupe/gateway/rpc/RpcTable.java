package dev.troupe.gateway.rpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The RPCs that are served, by bare name. Both doors dispatch through it: the public port and the
 * sockets of containers. A table that is built is whole: it holds each RPC that the {@code .proto}
 * files declare, with the declared request type and kind of answer, and no other.
 */
public final class RpcTable {

  private final Map<String, RpcMethod> methods;

  private RpcTable(Map<String, RpcMethod> methods) {
    this.methods = Map.copyOf(methods);
  }

  /** Starts a table of all the client's services. */
  public static Builder builder() {
    return new Builder(ModalServices.all());
  }

  /** Starts a table of some services. */
  public static Builder builder(Collection<ServiceDescriptor> services) {
    return new Builder(services);
  }

  /** The RPC of a name; empty where it is not served. */
  public Optional<RpcMethod> find(String name) {
    return Optional.ofNullable(methods.get(name));
  }

  /** The RPC of a name; UNIMPLEMENTED with a sentence where it is not served. */
  public RpcMethod require(String name) {
    RpcMethod method = methods.get(name);
    if (method == null) {
      throw RpcFailure.unimplemented(unserved(KnownRpcs.CLIENT + name));
    }
    return method;
  }

  /** Why the RPC at a path (service and name) is not answered: a sentence for the user. */
  public static String unserved(String path) {
    return KnownRpcs.unserved(path);
  }

  /** The names of all that are served. */
  public SortedSet<String> names() {
    return new TreeSet<>(methods.keySet());
  }

  /** Collects handlers; each area registers its own. */
  public static final class Builder {
    private final SortedMap<String, MethodDescriptor> declared = new TreeMap<>();
    private final Map<String, RpcMethod> methods = new HashMap<>();

    private Builder(Collection<ServiceDescriptor> services) {
      for (ServiceDescriptor service : services) {
        for (MethodDescriptor method : service.getMethods()) {
          if (declared.put(method.getName(), method) != null) {
            throw new IllegalStateException(method.getName() + " is declared twice");
          }
        }
      }
    }

    /** Serves an RPC that answers with one message. */
    public <Q extends Message, A extends Message> Builder unary(
        String name, Parser<Q> parser, RpcMethod.UnaryHandler<Q, A> handler) {
      MethodDescriptor declaration = declaration(name, parser, false);
      return add(new RpcMethod.Unary<>(name, parser, declaration.getOutputType(), handler));
    }

    /** Serves an RPC that answers with a stream. */
    public <Q extends Message, A extends Message> Builder stream(
        String name, Parser<Q> parser, RpcMethod.StreamHandler<Q, A> handler) {
      MethodDescriptor declaration = declaration(name, parser, true);
      return add(new RpcMethod.Streaming<>(name, parser, declaration.getOutputType(), handler));
    }

    /** The table; fails where a declared RPC has no handler. */
    public RpcTable build() {
      for (String name : declared.keySet()) {
        if (!methods.containsKey(name)) {
          throw new IllegalStateException(name + " is declared and has no handler");
        }
      }
      return new RpcTable(methods);
    }

    private Builder add(RpcMethod method) {
      if (methods.put(method.name(), method) != null) {
        throw new IllegalStateException(method.name() + " has two handlers");
      }
      return this;
    }

    private MethodDescriptor declaration(String name, Parser<?> parser, boolean streaming) {
      MethodDescriptor declaration = declared.get(name);
      if (declaration == null) {
        throw new IllegalStateException(name + " is declared in no service");
      }
      String expected = declaration.getInputType().getFullName();
      String actual = requestType(parser);
      if (!expected.equals(actual)) {
        throw new IllegalStateException(
            "%s takes %s, its handler reads %s".formatted(name, expected, actual));
      }
      if (declaration.isServerStreaming() != streaming || declaration.isClientStreaming()) {
        throw new IllegalStateException(
            name + (streaming ? " answers with one message" : " answers with a stream"));
      }
      return declaration;
    }

    private static String requestType(Parser<?> parser) {
      try {
        Message empty = (Message) parser.parseFrom(ByteString.EMPTY);
        return empty.getDescriptorForType().getFullName();
      } catch (InvalidProtocolBufferException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
  }
}
