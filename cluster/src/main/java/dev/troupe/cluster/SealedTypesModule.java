package dev.troupe.cluster;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.Version;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.cfg.MapperConfig;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedClass;
import com.fasterxml.jackson.databind.introspect.NopAnnotationIntrospector;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.jsontype.TypeResolverBuilder;
import com.fasterxml.jackson.databind.jsontype.impl.StdTypeResolverBuilder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Teaches Jackson 2.19 sealed interfaces: a field of a sealed type carries its case's simple name,
 * so protocols stay free of annotations. Simple names must be unique within a hierarchy.
 */
public final class SealedTypesModule extends Module {

  @Override
  public String getModuleName() {
    return "sealed-types";
  }

  @Override
  public Version version() {
    return Version.unknownVersion();
  }

  @Override
  public void setupModule(SetupContext context) {
    context.insertAnnotationIntrospector(new SealedIntrospector());
  }

  private static final class SealedIntrospector extends NopAnnotationIntrospector {
    private static final long serialVersionUID = 1;

    @Override
    public @Nullable TypeResolverBuilder<?> findTypeResolver(
        MapperConfig<?> config, AnnotatedClass annotated, JavaType type) {
      if (sealedRoot(annotated.getRawType()) == null) {
        return null;
      }
      return new StdTypeResolverBuilder()
          .init(JsonTypeInfo.Id.NAME, null)
          .inclusion(JsonTypeInfo.As.PROPERTY)
          .typeProperty("@type");
    }

    @Override
    public @Nullable List<NamedType> findSubtypes(Annotated annotated) {
      Class<?> root = sealedRoot(annotated.getRawType());
      if (root == null) {
        return null;
      }
      List<NamedType> cases = new ArrayList<>();
      collect(root, cases);
      return cases;
    }

    @Override
    public @Nullable String findTypeName(AnnotatedClass annotated) {
      return sealedRoot(annotated.getRawType()) == null
          ? null
          : annotated.getRawType().getSimpleName();
    }

    private static void collect(Class<?> type, List<NamedType> cases) {
      if (!type.isSealed()) {
        cases.add(new NamedType(type, type.getSimpleName()));
        return;
      }
      for (Class<?> permitted : type.getPermittedSubclasses()) {
        collect(permitted, cases);
      }
    }

    /** The sealed interface this type is, or is a case of; null where there is none. */
    private static @Nullable Class<?> sealedRoot(Class<?> type) {
      if (type.isSealed()) {
        return type;
      }
      for (Class<?> parent : type.getInterfaces()) {
        if (parent.isSealed()) {
          return parent;
        }
      }
      return null;
    }
  }
}
