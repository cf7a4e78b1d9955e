package dev.troupe.persistence.calllog;

/** The statements that change the call log, for H2 and PostgreSQL alike. */
final class LogSql {

  static final String LOCK_OWNERS =
      """
      SELECT id, function, epoch FROM function_owner
      WHERE function IN (%s) ORDER BY function FOR UPDATE""";

  static final String RAISE_EPOCH =
      "UPDATE function_owner SET epoch = epoch + 1 WHERE function = ?";
  static final String NEW_OWNER = "INSERT INTO function_owner (function, epoch) VALUES (?, 1)";
  static final String OWNER = "SELECT id, epoch FROM function_owner WHERE function = ?";

  static final String NEW_CHANGES = "INSERT INTO call_change (owner_id, changes) VALUES (?, ?)";
  static final String CHANGES =
      "SELECT id, changes FROM call_change WHERE owner_id = ? ORDER BY id";
  static final String DROP_CHANGES = "DELETE FROM call_change WHERE id = ?";

  static final String SETTLED_TO = "UPDATE function_owner SET settled = ? WHERE id = ?";
  static final String OWNERS = "SELECT id, function, settled FROM function_owner";

  static final String CALL_TAKEN =
      "SELECT 1 FROM function_call WHERE owner_id = ? AND call_key = ?";
  static final String INPUT_TAKEN =
      "SELECT 1 FROM function_input WHERE owner_id = ? AND call_key = ? AND idx = ?";

  static final String NEW_CALL =
      """
      INSERT INTO function_call (owner_id, call_key, kind, invocation, total, cancelled, is_open,
        forgotten, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)""";

  static final String TOTAL =
      """
      UPDATE function_call SET total = ?, is_open = FALSE
      WHERE owner_id = ? AND call_key = ?""";

  static final String CANCEL =
      """
      UPDATE function_call SET cancelled = TRUE, is_open = FALSE
      WHERE owner_id = ? AND call_key = ?""";

  static final String NEW_INPUT =
      """
      INSERT INTO function_input (owner_id, call_key, idx, state, place, created_at, method_name,
        payload, payload_stored, payload_attached, attempts, lost,
        lease_epoch, lease_number, lease_task, leased_at, output_order, status,
        result, result_stored, result_attached, message, data_format, task, started_at, finished_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""";

  static final String NEW_BLOB =
      "INSERT INTO input_blob (blob, owner_id, call_key, idx, role) VALUES (?, ?, ?, ?, ?)";

  static final String DROP_BLOB =
      """
      DELETE FROM input_blob
      WHERE blob = ? AND owner_id = ? AND call_key = ? AND idx = ? AND role = ?""";

  static final String SPEND =
      """
      UPDATE function_input SET state = 0, attempts = ?, lost = ?,
        lease_epoch = NULL, lease_number = NULL, lease_task = NULL, leased_at = NULL
      WHERE owner_id = ? AND call_key = ? AND idx = ? AND finished_at IS NULL""";

  static final String LEASE =
      """
      UPDATE function_input SET state = 1,
        lease_epoch = ?, lease_number = ?, lease_task = ?, leased_at = ?
      WHERE owner_id = ? AND call_key = ? AND idx = ? AND finished_at IS NULL""";

  /** The first output stands: of an input that has one, nothing changes. */
  static final String FINISH =
      """
      UPDATE function_input SET state = 2, payload = NULL, payload_stored = NULL,
        payload_attached = NULL, lease_epoch = NULL, lease_number = NULL, lease_task = NULL,
        leased_at = NULL, output_order = ?, status = ?, result = ?, result_stored = ?,
        result_attached = ?, message = ?, data_format = ?, task = ?, started_at = ?,
        finished_at = ?
      WHERE owner_id = ? AND call_key = ? AND idx = ? AND finished_at IS NULL""";

  /** Like the first output, the first clear stands. */
  static final String CLEAR =
      """
      UPDATE function_input SET state = 3, place = ?
      WHERE owner_id = ? AND call_key = ? AND idx = ? AND finished_at IS NOT NULL AND state <> 3""";

  static final String NEW_MARK = "INSERT INTO commit_mark (committer, group_number) VALUES (?, ?)";
  static final String MARK = "UPDATE commit_mark SET group_number = ? WHERE committer = ?";
  static final String READ_MARK = "SELECT group_number FROM commit_mark WHERE committer = ?";
  static final String DROP_MARK = "DELETE FROM commit_mark WHERE committer = ?";

  private LogSql() {}
}
