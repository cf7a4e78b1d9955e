package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import dev.troupe.persistence.calllog.LogSession.Owner;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Which writes of a group are committed: those of present owners, with ids that are free. */
final class Verdicts {

  /**
   * Judges writes in their order, and adds the rows of those to be committed. Gives what each is to
   * be told once that is done.
   */
  static List<Written> judge(
      List<Write> group,
      Map<FunctionId, Owner> owners,
      Backlog backlog,
      TakenKeys taken,
      GroupRows rows)
      throws SQLException {
    NewKeys newKeys = new NewKeys(taken, backlog);
    List<Written> results = new ArrayList<>(group.size());
    for (Write write : group) {
      Owner owner = owners.get(write.function());
      Exception refused = backlog.refusal(write.function());
      if (owner == null || owner.epoch() != write.epoch()) {
        results.add(new Written.Fenced());
      } else if (refused != null) {
        results.add(new Written.Failed(String.valueOf(refused.getMessage())));
      } else if (newKeys.take(owner, write)) {
        rows.add(owner, write.function(), write.parts());
        results.add(new Written.Done());
      } else {
        results.add(new Written.Duplicate());
      }
    }
    return results;
  }

  private Verdicts() {}
}
