package dev.troupe.actors.placement;

import dev.troupe.actors.id.MachineId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/** The newest advert of each machine. */
record MachineTable(PMap<MachineId, Row> rows) {

  /** How long a machine is known after its last advert: three of them may be lost. */
  static final Duration VALID = Duration.ofSeconds(15);

  static final MachineTable EMPTY = new MachineTable(HashTreePMap.empty());

  /** An advert, and when it came. */
  record Row(MachineAdvert advert, Instant at) {}

  /** With an advert; one that is older than what is known changes nothing. */
  MachineTable plus(MachineAdvert advert, Instant now) {
    Row known = rows.get(advert.machine());
    return known != null && known.advert().revision() > advert.revision()
        ? this
        : new MachineTable(rows.plus(advert.machine(), new Row(advert, now)));
  }

  /** Without machines that are not advertised any more. */
  MachineTable at(Instant now) {
    List<MachineId> gone =
        rows.values().stream()
            .filter(row -> !now.isBefore(row.at().plus(VALID)))
            .map(row -> row.advert().machine())
            .toList();
    return gone.isEmpty() ? this : new MachineTable(rows.minusAll(gone));
  }

  /** The machines, in no order. */
  Collection<MachineAdvert> machines() {
    return rows.values().stream().map(Row::advert).toList();
  }
}
