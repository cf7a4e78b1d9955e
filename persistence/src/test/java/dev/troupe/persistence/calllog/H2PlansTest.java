package dev.troupe.persistence.calllog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Query;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * H2 chooses an index when a statement is prepared and keeps the choice, and the committer prepares
 * its statements before there are rows. So each must find its rows by the right index on empty
 * tables: one that did not took seconds a write once there were a million inputs.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class H2PlansTest {

  private static final String CALL = "OWNER_ID AND CALL_KEY";
  private static final String INPUT = "OWNER_ID AND CALL_KEY AND IDX";

  private Database database;

  @BeforeAll
  void open(@TempDir Path directory) {
    database = Rows.h2(directory);
  }

  @AfterAll
  void close() {
    database.close();
  }

  /** A statement by its name below, an index, and the columns it is entered with. */
  @ParameterizedTest(name = "{0} by {1}: {2}")
  @CsvSource({
    "LOCK_OWNERS, CONSTRAINT_, FUNCTION",
    "RAISE_EPOCH, CONSTRAINT_, FUNCTION",
    "CALL_TAKEN, PRIMARY_KEY, " + CALL,
    "INPUT_TAKEN, PRIMARY_KEY, IDX AND " + CALL,
    "DROP_CHANGES, PRIMARY_KEY, ID",
    "TOTAL, PRIMARY_KEY, " + CALL,
    "CANCEL, PRIMARY_KEY, " + CALL,
    "SPEND, PRIMARY_KEY, " + INPUT,
    "LEASE, PRIMARY_KEY, " + INPUT,
    "FINISH, PRIMARY_KEY, " + INPUT,
    "CLEAR, PRIMARY_KEY, " + INPUT,
    "OPEN_CALLS, FUNCTION_CALL_AGE, OWNER_ID AND IS_OPEN",
    "RECENT_CALLS, FUNCTION_CALL_AGE, CREATED_AT AND OWNER_ID AND IS_OPEN",
    "ONE_CALL, PRIMARY_KEY, " + CALL,
    "ONE_CALL, FUNCTION_INPUT_OUTPUT, " + CALL,
    "CALLS_OF_INPUTS, FUNCTION_INPUT_WORK, OWNER_ID AND STATE",
    "CALLS_OF_INPUTS, PRIMARY_KEY, " + CALL,
    "INPUTS, FUNCTION_INPUT_WORK, PLACE AND OWNER_ID AND STATE",
    "LAST_PLACE, FUNCTION_INPUT_WORK, OWNER_ID AND STATE",
    "OUTPUTS_AFTER, FUNCTION_INPUT_OUTPUT, OUTPUT_ORDER AND OWNER_ID AND CALL_KEY",
    "OUTPUTS_OF, PRIMARY_KEY, IDX AND IDX AND OWNER_ID AND CALL_KEY",
    "UNFINISHED, FUNCTION_INPUT_WORK, STATE AND OWNER_ID",
    "CLEARED, FUNCTION_INPUT_WORK, PLACE AND OWNER_ID AND STATE",
    "SPENT_PAYLOADS, INPUT_BLOB_OWNER, OWNER_ID AND ROLE",
    "OLD_CALLS, FUNCTION_CALL_AGE, CREATED_AT AND OWNER_ID AND IS_OPEN",
    "INPUTS_OF_CALL, PRIMARY_KEY, " + CALL,
    "BLOBS, INPUT_BLOB_OWNER, IDX AND ROLE AND OWNER_ID AND CALL_KEY",
    "DROP_BLOBS, INPUT_BLOB_OWNER, OWNER_ID AND CALL_KEY AND IDX AND ROLE",
    "DROP_INPUT, PRIMARY_KEY, " + INPUT,
    "FORGET, PRIMARY_KEY, " + CALL,
    "DROP_COLLECTED_CALL, PRIMARY_KEY, " + CALL
  })
  void findsItsRowsByIndex(String statement, String index, String columns) throws SQLException {
    String entered = columns.replace(" AND ", " [<>=IN]+[^,]*? AND ");

    assertThat(plan(sql(statement))).containsPattern("PUBLIC\\." + index + "\\w*: " + entered);
  }

  /** Pages are read from the index in its order, not sorted after reading all. */
  @ParameterizedTest
  @CsvSource({"INPUTS", "LAST_PLACE", "OUTPUTS_AFTER", "OUTPUTS_OF", "CLEARED", "OLD_CALLS"})
  void readsInTheOrderOfTheIndex(String statement) throws SQLException {
    assertThat(plan(sql(statement))).contains("index sorted");
  }

  private String plan(String sql) throws SQLException {
    try (Connection connection = database.pool().getConnection()) {
      Query explain = Query.of(connection, "EXPLAIN " + sql);
      int parameters = (int) sql.chars().filter(character -> character == '?').count();
      explain.withAll(Collections.nCopies(parameters, "1"));
      return explain.first(row -> row.getString(1)).orElseThrow();
    }
  }

  static String sql(String name) {
    return switch (name) {
      case "LOCK_OWNERS" -> LogSql.LOCK_OWNERS.formatted("?, ?, ?, ?");
      case "RAISE_EPOCH" -> LogSql.RAISE_EPOCH;
      case "CALL_TAKEN" -> LogSql.CALL_TAKEN;
      case "INPUT_TAKEN" -> LogSql.INPUT_TAKEN;
      case "DROP_CHANGES" -> LogSql.DROP_CHANGES;
      case "TOTAL" -> LogSql.TOTAL;
      case "CANCEL" -> LogSql.CANCEL;
      case "SPEND" -> LogSql.SPEND;
      case "LEASE" -> LogSql.LEASE;
      case "FINISH" -> LogSql.FINISH;
      case "CLEAR" -> LogSql.CLEAR;
      case "OPEN_CALLS" -> CallLogReader.OPEN_CALLS;
      case "RECENT_CALLS" -> CallLogReader.RECENT_CALLS;
      case "ONE_CALL" -> CallLogReader.ONE_CALL;
      case "CALLS_OF_INPUTS" -> CallLogReader.CALLS_OF_INPUTS;
      case "INPUTS" -> CallLogReader.INPUTS;
      case "LAST_PLACE" -> CallLogReader.LAST_PLACE;
      case "OUTPUTS_AFTER" -> CallLogReader.OUTPUTS_AFTER;
      case "OUTPUTS_OF" -> CallLogReader.OUTPUTS_OF;
      case "UNFINISHED" -> CallLogReader.UNFINISHED;
      case "CLEARED" -> CallLogSweep.CLEARED;
      case "SPENT_PAYLOADS" -> CallLogSweep.SPENT_PAYLOADS;
      case "OLD_CALLS" -> CallLogSweep.OLD_CALLS;
      case "INPUTS_OF_CALL" -> CallLogSweep.INPUTS_OF_CALL;
      case "BLOBS" -> CallLogSweep.BLOBS;
      case "DROP_BLOBS" -> CallLogSweep.DROP_BLOBS;
      case "DROP_INPUT" -> CallLogSweep.DROP_INPUT;
      case "FORGET" -> CallLogSweep.FORGET;
      case "DROP_COLLECTED_CALL" -> CallLogSweep.DROP_COLLECTED_CALL;
      default -> throw new IllegalArgumentException(name);
    };
  }
}
