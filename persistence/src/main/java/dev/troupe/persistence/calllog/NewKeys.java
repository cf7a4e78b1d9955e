package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.ChangeCodec.Part;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import dev.troupe.persistence.calllog.LogSession.Owner;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;

/**
 * Finds the writes of a group whose new calls or inputs have ids that are taken: in the tables, on
 * their way there, or in the same group. The owner's lock is held meanwhile, so nobody else takes
 * one.
 */
final class NewKeys {

  private final TakenKeys taken;
  private final Backlog backlog;
  private final Set<CallId> calls = new HashSet<>();
  private final Set<InputId> inputs = new HashSet<>();

  NewKeys(TakenKeys taken, Backlog backlog) {
    this.taken = taken;
    this.backlog = backlog;
  }

  /** Takes the ids of a write's new calls and inputs, or none of them where one is taken. */
  boolean take(Owner owner, Write write) throws SQLException {
    Set<CallId> newCalls = new HashSet<>();
    Set<InputId> newInputs = new HashSet<>();
    for (Part part : write.parts()) {
      for (LogWrite change : part.changes()) {
        boolean free =
            switch (change) {
              case LogWrite.NewCall(var row) ->
                  newCalls.add(row.call()) && isFree(owner, write.function(), row.call());
              case LogWrite.NewInput(var row) ->
                  newInputs.add(row.input())
                      && isFree(owner, write.function(), row.input(), newCalls);
              default -> true;
            };
        if (!free) {
          return false;
        }
      }
    }
    calls.addAll(newCalls);
    inputs.addAll(newInputs);
    return true;
  }

  private boolean isFree(Owner owner, FunctionId function, CallId call) throws SQLException {
    return !calls.contains(call)
        && !backlog.bringsCall(function, call)
        && !taken.isTaken(owner.id(), function, call);
  }

  private boolean isFree(Owner owner, FunctionId function, InputId input, Set<CallId> newCalls)
      throws SQLException {
    if (inputs.contains(input) || backlog.bringsInput(function, input)) {
      return false;
    }
    // What a call has that is on its way to the tables is on its way too.
    CallId call = input.call();
    return newCalls.contains(call)
        || calls.contains(call)
        || backlog.bringsAllOf(function, call)
        || !taken.isTaken(owner.id(), function, input);
  }
}
