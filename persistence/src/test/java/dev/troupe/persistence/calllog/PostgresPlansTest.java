package dev.troupe.persistence.calllog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.persistence.Postgres;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Database.Address;
import dev.troupe.persistence.store.Query;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * PostgreSQL chooses by what the tables hold; here by whether it has a choice: with an index for
 * each statement, none needs to read a table from end to end.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PostgresPlansTest {

  private Database database;

  @BeforeAll
  void open() {
    Address schema = Postgres.shared().schema();
    // Parameters are texts here, of whatever type they are meant to be.
    Address address =
        new Address(schema.url() + "&stringtype=unspecified", schema.user(), schema.password());
    database = Database.open(address, "calls", 2, Duration.ofSeconds(10));
  }

  @AfterAll
  void close() {
    if (database != null) {
      database.close();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "LOCK_OWNERS",
        "RAISE_EPOCH",
        "CALL_TAKEN",
        "INPUT_TAKEN",
        "DROP_CHANGES",
        "TOTAL",
        "CANCEL",
        "SPEND",
        "LEASE",
        "FINISH",
        "CLEAR",
        "OPEN_CALLS",
        "RECENT_CALLS",
        "ONE_CALL",
        "CALLS_OF_INPUTS",
        "INPUTS",
        "LAST_PLACE",
        "OUTPUTS_AFTER",
        "OUTPUTS_OF",
        "CLEARED",
        "SPENT_PAYLOADS",
        "OLD_CALLS",
        "INPUTS_OF_CALL",
        "BLOBS",
        "DROP_BLOBS",
        "DROP_INPUT",
        "FORGET",
        "DROP_COLLECTED_CALL"
      })
  void findsItsRowsByIndex(String statement) throws SQLException {
    String sql = H2PlansTest.sql(statement);
    int parameters = (int) sql.chars().filter(character -> character == '?').count();
    try (Connection connection = database.pool().getConnection()) {
      Query.of(connection, "SET enable_seqscan = off").update();
      String plan =
          String.join(
              "\n",
              Query.of(connection, "EXPLAIN " + sql)
                  .withAll(Collections.nCopies(parameters, "1"))
                  .list(row -> row.getString(1)));
      assertThat(plan).contains("Index").doesNotContain("Seq Scan");
    }
  }
}
