package dev.troupe.persistence.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Database.Address;
import dev.troupe.persistence.store.StoreAway;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JdbcDirectoryTest {

  private static final Instant T0 = Instant.parse("2026-11-24T12:00:00.123456Z");

  private Database database;
  private BlockingReads reads;
  private JdbcDirectory directory;

  /** A new database. */
  Address address(Path data) {
    return Address.h2(data.resolve("calls"), 1 << 20);
  }

  @BeforeEach
  void open(@TempDir Path data) {
    database = Database.open(address(data), "calls", 4, Duration.ofSeconds(10));
    reads = new BlockingReads();
    directory = new JdbcDirectory(database, reads);
  }

  @AfterEach
  void close() {
    reads.close();
    database.close();
  }

  private static <T> T get(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      throw new AssertionError("failed: " + failed.getCause(), failed.getCause());
    } catch (TimeoutException | InterruptedException late) {
      throw new AssertionError("no answer", late);
    }
  }

  private static Entry app(String id, String environment, String name, int age) {
    return new Entry(
        Kind.APP,
        environment,
        name,
        id,
        T0.minusSeconds(age),
        Map.of("description", "\"quoted\"\n", "state", "deployed"));
  }

  @Test
  void whatWasPutIsFoundByNameAndById() {
    Entry entry = app("ap-1", "main", "hello", 0);
    get(directory.put(entry));

    assertThat(get(directory.find(Kind.APP, "main", "hello"))).contains(entry);
    assertThat(get(directory.byId(Kind.APP, "ap-1"))).contains(entry);
    assertThat(get(directory.find(Kind.APP, "dev", "hello"))).isEmpty();
    assertThat(get(directory.find(Kind.SECRET, "main", "hello"))).isEmpty();
    assertThat(get(directory.byId(Kind.SECRET, "ap-1"))).isEmpty();
  }

  @Test
  void aNulInANameIsNoFailure() {
    assertThat(get(directory.find(Kind.APP, "main", "a\0b"))).isEmpty();
    get(directory.put(app("ap-1", "main", "a\0b", 0)));

    assertThat(get(directory.find(Kind.APP, "main", "a\0b")).orElseThrow().id()).isEqualTo("ap-1");
  }

  @Test
  void aNameGoesToWhoClaimsItFirst() {
    Entry first = app("ap-1", "main", "hello", 0);

    assertThat(get(directory.claim(first))).isEqualTo(first);
    assertThat(get(directory.claim(app("ap-2", "main", "hello", 0)))).isEqualTo(first);
    assertThat(get(directory.claim(first))).as("a repeat").isEqualTo(first);
    assertThat(get(directory.byId(Kind.APP, "ap-2"))).isEmpty();
    assertThat(get(directory.claim(app("ap-2", "dev", "hello", 0))).id()).isEqualTo("ap-2");
  }

  @Test
  void whoClaimsANameAtOnceAgreesOnTheWinner() {
    var claims =
        IntStream.range(0, 30)
            .mapToObj(i -> directory.claim(app("ap-" + i, "main", "hello", i)))
            .toList();

    assertThat(claims.stream().map(claim -> get(claim).id()).distinct()).hasSize(1);
  }

  @Test
  void aSecondNameIsNotClaimedBesideTheFirst() {
    get(directory.claim(app("ap-1", "main", "hello", 0)));

    assertThatThrownBy(() -> get(directory.claim(app("ap-1", "main", "bye", 0))))
        .hasMessageContaining("ap-1 has the name 'hello' and can't claim 'bye'");
    assertThatThrownBy(() -> directory.claim(app("ap-1", "main", "", 0)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsTooOldIsForgottenOfOneKind() {
    get(directory.put(app("ap-1", "main", "hello", 60)));
    get(directory.put(app("ap-2", "main", "bye", 0)));

    get(directory.removeBefore(Kind.SECRET, T0));
    assertThat(get(directory.byId(Kind.APP, "ap-1"))).isPresent();
    get(directory.removeBefore(Kind.APP, T0));
    assertThat(get(directory.byId(Kind.APP, "ap-1"))).isEmpty();
    assertThat(get(directory.byId(Kind.APP, "ap-2"))).as("created just then").isPresent();
  }

  @Test
  void putRewritesAndMovesNames() {
    get(directory.put(app("ap-1", "main", "hello", 5)));
    get(directory.put(app("ap-2", "main", "hello", 0)));

    assertThat(get(directory.find(Kind.APP, "main", "hello")).orElseThrow().id()).isEqualTo("ap-2");
    assertThat(get(directory.byId(Kind.APP, "ap-1")).orElseThrow().name()).isEmpty();

    Entry renamed = app("ap-2", "main", "bye", 0);
    get(directory.put(renamed));
    assertThat(get(directory.find(Kind.APP, "main", "hello"))).isEmpty();
    assertThat(get(directory.find(Kind.APP, "main", "bye"))).contains(renamed);
  }

  @Test
  void aRenameTakesAFreeNameAndNoOther() {
    get(directory.put(app("ap-1", "main", "hello", 5)));
    get(directory.put(app("ap-2", "main", "taken", 0)));

    assertThat(get(directory.rename(app("ap-1", "main", "taken", 5)))).isFalse();
    assertThat(get(directory.rename(app("ap-3", "main", "free", 5)))).as("no entry").isFalse();
    assertThat(get(directory.find(Kind.APP, "main", "hello")).orElseThrow().id()).isEqualTo("ap-1");

    Entry renamed = app("ap-1", "main", "free", 5);
    assertThat(get(directory.rename(renamed))).isTrue();
    assertThat(get(directory.find(Kind.APP, "main", "free"))).contains(renamed);
    assertThat(get(directory.find(Kind.APP, "main", "hello"))).isEmpty();
  }

  @Test
  void putsOfOneNameAtOnceLeaveItWithOneThing() {
    var puts =
        IntStream.range(0, 20)
            .mapToObj(i -> directory.put(app("ap-" + i % 4, "main", "hello", i)))
            .toList();
    puts.forEach(JdbcDirectoryTest::get);

    assertThat(get(directory.list(Kind.APP, "main", 100)).stream().map(Entry::name))
        .containsExactlyInAnyOrder("hello", "", "", "");
  }

  @Test
  void thingsWithoutANameDoNotCollide() {
    get(directory.put(app("ap-1", "main", "", 0)));
    get(directory.put(app("ap-2", "main", "", 0)));

    assertThat(get(directory.list(Kind.APP, "main", 10))).hasSize(2);
  }

  @Test
  void listsAreNewestFirstAndBounded() {
    get(directory.put(app("ap-old", "main", "old", 30)));
    get(directory.put(app("ap-new", "main", "new", 10)));
    get(directory.put(app("ap-dev", "dev", "mid", 20)));

    assertThat(ids(directory.list(Kind.APP, "main", 10))).containsExactly("ap-new", "ap-old");
    assertThat(ids(directory.list(Kind.APP, "", 10))).containsExactly("ap-new", "ap-dev", "ap-old");
    assertThat(ids(directory.list(Kind.APP, "", 2))).containsExactly("ap-new", "ap-dev");
    assertThat(ids(directory.list(Kind.TOKEN, "", 2))).isEmpty();
  }

  @Test
  void namesComeInOrderByPrefixFromBehindTheLast() {
    for (String name : List.of("b:v1", "a_1", "ab1", "a!%", "B")) {
      get(directory.put(app("ap-" + name, "main", name, 0)));
    }
    get(directory.put(app("ap-dev", "dev", "a", 0)));
    get(directory.put(app("ap-nameless", "main", "", 0)));

    assertThat(named("", "", 10)).containsExactly("B", "a!%", "a_1", "ab1", "b:v1");
    assertThat(named("", "a_1", 1)).containsExactly("ab1");
    assertThat(named("a_", "", 10)).containsExactly("a_1");
    assertThat(named("a!%", "", 10)).containsExactly("a!%");
    assertThat(named("a", "a!%", 10)).containsExactly("a_1", "ab1");
    assertThat(named("", "b:v1", 10)).isEmpty();
  }

  private List<String> named(String prefix, String after, int limit) {
    return get(directory.named(Kind.APP, "main", prefix, after, limit)).stream()
        .map(Entry::name)
        .toList();
  }

  private static List<String> ids(CompletionStage<List<Entry>> entries) {
    return get(entries).stream().map(Entry::id).toList();
  }

  @Test
  void whatWasRemovedIsGoneAndItsNameFree() {
    get(directory.put(app("ap-1", "main", "hello", 0)));
    get(directory.remove(Kind.APP, "ap-1"));
    get(directory.remove(Kind.APP, "ap-1"));

    assertThat(get(directory.byId(Kind.APP, "ap-1"))).isEmpty();
    assertThat(get(directory.claim(app("ap-2", "main", "hello", 0))).id()).isEqualTo("ap-2");
  }

  @Test
  void aClosedStoreSaysSo() {
    reads.close();

    assertThatThrownBy(
            () -> directory.byId(Kind.APP, "ap-1").toCompletableFuture().get(30, TimeUnit.SECONDS))
        .hasCauseInstanceOf(StoreAway.class);
  }
}
