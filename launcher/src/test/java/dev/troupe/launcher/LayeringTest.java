package dev.troupe.launcher;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

/** The dependencies of docs/ARCHITECTURE.md, read from the classes. */
class LayeringTest {

  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.troupe");

  /** What each module may import of ours, beside itself. */
  private static final Map<String, List<String>> MAY_IMPORT = new LinkedHashMap<>();

  static {
    MAY_IMPORT.put("protocol", List.of());
    MAY_IMPORT.put("cluster", List.of());
    MAY_IMPORT.put("actors", List.of("cluster"));
    MAY_IMPORT.put("persistence", List.of("actors", "cluster"));
    MAY_IMPORT.put("gateway", List.of("protocol", "actors", "cluster"));
    MAY_IMPORT.put("node", List.of("protocol", "actors", "cluster"));
  }

  @Test
  void everyModuleImportsOnlyWhatItMay() {
    MAY_IMPORT.forEach(
        (module, allowed) -> {
          List<String> packages =
              java.util.stream.Stream.concat(java.util.stream.Stream.of(module), allowed.stream())
                  .map(name -> "dev.troupe." + name + "..")
                  .toList();
          classes()
              .that()
              .resideInAPackage("dev.troupe." + module + "..")
              .should()
              .onlyDependOnClassesThat(
                  com.tngtech.archunit.base.DescribedPredicate.describe(
                      "are foreign, or of " + packages,
                      type ->
                          !type.getPackageName().startsWith("dev.troupe")
                              || packages.stream()
                                  .map(name -> name.replace("..", ""))
                                  .anyMatch(
                                      name ->
                                          type.getPackageName().equals(name)
                                              || type.getPackageName().startsWith(name + "."))))
              .check(OURS);
        });
  }

  @Test
  void everyModuleOfTheListIsThere() {
    MAY_IMPORT
        .keySet()
        .forEach(
            module ->
                Assertions.assertThat(
                        OURS.stream()
                            .anyMatch(
                                type -> type.getPackageName().startsWith("dev.troupe." + module)))
                    .as(module)
                    .isTrue());
  }

  @Test
  void statesAndPoliciesKnowNoActorAndNoClock() {
    noClasses()
        .that()
        .resideInAPackage("dev.troupe.actors..")
        .and()
        .haveNameMatching(
            ".*(State|Ledger|Mailbox|Autoscaler|Verdict|WaitingList|Placement|BuildSteps)")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.pekko..")
        .orShould()
        .callMethod(java.time.Instant.class, "now")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .check(OURS);
  }

  @Test
  void wordsOfTheWireStopAtTheGatewayAndTheAgent() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.troupe.actors..", "dev.troupe.persistence..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.troupe.protocol..")
        .check(OURS);
  }
}
