package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The one writer of the call log in this process. Its promises are kept on its own thread: what
 * hangs on them must be quick. To close it commits what waits, unless the store is away.
 */
interface Committer extends AutoCloseable {

  /** Takes changes to be committed together. */
  CompletionStage<Written> write(FunctionId function, long epoch, List<LogWrite> changes);

  /** Makes the caller owner of a function: gives its epoch, once all before is in the tables. */
  CompletionStage<Long> claim(FunctionId function);

  /** Done when all that was acknowledged of this function is in the tables. */
  CompletionStage<Void> settled(FunctionId function);

  /** Done when all that was acknowledged is in the tables. */
  CompletionStage<Void> settled();

  @Override
  void close();
}
