package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.G;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.GroupRows.FileRow;
import dev.troupe.persistence.calllog.LogSession.Owner;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What writers changed, put together by function. */
class GroupRowsTest {

  private static final CallId C = call(F, "c");

  /** Were it several, those behind the first would be taken for settled with it after a kill. */
  @Test
  void aFunctionHasOneRowOfAFile_HoweverLong() {
    List<LogWrite> changes = List.of(newCall(C, 3), input(0), input(1), input(2));
    GroupRows rows = new GroupRows();
    add(rows, 1, F, changes);
    add(rows, 2, G, List.of(newCall(call(G, "d"), 1)));

    List<FileRow> added = rows.forFile();

    assertThat(added).extracting(FileRow::function).containsExactly(F, G);
    assertThat(added.getFirst().bytes().length).isGreaterThan(900_000);
    assertThat(added.getFirst().changes()).isEqualTo(changes);
    assertThat(ChangeCodec.decode(F, added.getFirst().bytes())).hasSize(4);
  }

  private static LogWrite input(int index) {
    return new LogWrite.NewInput(waiting(C, index, index, Payload.of(new byte[300_000], null)));
  }

  private static void add(GroupRows rows, long owner, FunctionId function, List<LogWrite> changes) {
    rows.add(new Owner(owner, 1), function, ChangeCodec.encode(function, changes));
  }
}
