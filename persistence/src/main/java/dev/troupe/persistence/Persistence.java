package dev.troupe.persistence;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.typesafe.config.Config;
import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.actors.secret.Vault;
import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.persistence.blob.BlobHome;
import dev.troupe.persistence.calllog.JdbcCallLog;
import dev.troupe.persistence.directory.JdbcDirectory;
import dev.troupe.persistence.journal.JournalConfig;
import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.DataDirectory;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Database.Address;
import dev.troupe.persistence.store.StoreHold;
import dev.troupe.persistence.vault.KeyFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Everything a server keeps, opened: the ports of {@code actors}, the keys, and where Pekko finds
 * its journal. To be started before the actor system and closed after it.
 */
public final class Persistence implements AutoCloseable {

  private final CallLog callLog;
  private final Directory directory;
  private final BlobStore blobs;
  private final LogArchive logs;
  private final Vault vault;
  private final byte[] serverKey;
  private final KeyFiles keys;
  private final Config journalConfig;
  private final @Nullable StoreHold hold;
  private final List<String> members;
  private final Deque<AutoCloseable> toClose;

  private Persistence(
      PersistenceSettings settings,
      BlobSettings blobSettings,
      DataDirectory data,
      String member,
      Deque<AutoCloseable> toClose)
      throws IOException {
    this.toClose = toClose;
    boolean elsewhere = !settings.url().isEmpty();
    // Keys first, the version last: a first start that was cut off is then simply repeated.
    KeyFiles keys = new KeyFiles(data);
    this.serverKey = keys.serverKey();
    this.vault = keys.vault();
    keys.prepareAuthority();
    this.keys = keys;
    data.prepareStore(elsewhere);
    Address journal = address(settings, data.journalFile(), settings.cacheBytes() / 4);
    Address calls = address(settings, data.callsFile(), settings.cacheBytes());
    StoreHold held = elsewhere ? opened(StoreHold.take(calls, settings.readPatience())) : null;
    this.hold = held;
    this.members = held == null ? List.of() : enter(held, settings, calls, member);
    opened(Database.open(journal, "journal", 2, settings.readPatience()));
    Database database =
        opened(Database.open(calls, "calls", settings.readConnections(), settings.readPatience()));
    BlockingReads reads = opened(new BlockingReads());
    this.callLog = opened(callLog(settings, data, database, reads));
    this.directory = new JdbcDirectory(database, reads);
    BlobHome home = BlobHome.open(blobSettings, data, fingerprint(serverKey));
    opened(home.closing());
    if (elsewhere) {
      StoreHold.checkBlobs(database, calls, home.identity());
    }
    this.blobs = home.blobs();
    this.logs = home.logs();
    this.journalConfig = JournalConfig.of(journal, settings.journalConnections());
    data.complete();
  }

  /** Opens the stores of a data directory, blobs too, for a process that nobody joins. */
  public static Persistence start(PersistenceSettings settings, Path dataDirectory) {
    Persistence alone = start(settings, BlobSettings.inTheDataDirectory(), dataDirectory, "");
    alone.formed();
    return alone;
  }

  /**
   * Opens the stores of a data directory, making them where it is new or empty. Where others reach
   * the store, one process at a time is on the way in: {@link #formed} lets the next one.
   *
   * @param member where other processes of the cluster reach this one
   * @throws StartRefused when they can't be opened; the message says why and what to do
   */
  public static Persistence start(
      PersistenceSettings settings, BlobSettings blobs, Path dataDirectory, String member) {
    DataDirectory data = DataDirectory.open(dataDirectory);
    Deque<AutoCloseable> toClose = new ArrayDeque<>();
    toClose.push(data);
    boolean started = false;
    try {
      Persistence persistence = new Persistence(settings, blobs, data, member, toClose);
      started = true;
      return persistence;
    } catch (IOException failure) {
      throw new StartRefused(
          "The data directory %s can't be used: %s".formatted(data.root(), failure), failure);
    } finally {
      if (!started) {
        closeAll(toClose);
      }
    }
  }

  /** Enters the cluster of a shared store; nothing was done there before. */
  private List<String> enter(
      StoreHold held, PersistenceSettings settings, Address address, String member) {
    try (Database store = Database.open(address, "store", 2, settings.readPatience())) {
      StoreHold.checkKeys(store, address, fingerprint(serverKey));
      return held.enter(store, member);
    }
  }

  /** Tells a key from others, and tells nobody the key. */
  private static String fingerprint(byte[] key) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update("troupe store".getBytes(UTF_8));
      return HexFormat.of().formatHex(digest.digest(key), 0, 16);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static JdbcCallLog callLog(
      PersistenceSettings settings, DataDirectory data, Database database, BlockingReads reads)
      throws IOException {
    if (!settings.url().isEmpty()) {
      return JdbcCallLog.shared(database, reads, settings);
    }
    try {
      return JdbcCallLog.alone(database, reads, settings, data.callLog());
    } catch (SQLException refused) {
      throw new StartRefused(
          "The tables of calls refuse what %s holds: %s"
              .formatted(data.callLog(), refused.getMessage()),
          refused);
    }
  }

  private static Address address(PersistenceSettings settings, Path file, long cacheBytes) {
    return settings.url().isEmpty()
        ? Address.h2(file, cacheBytes)
        : new Address(settings.url(), settings.user(), settings.password());
  }

  private <T extends AutoCloseable> T opened(T part) {
    toClose.push(part);
    return part;
  }

  /** Inputs and outputs of calls. */
  public CallLog callLog() {
    return callLog;
  }

  /** Names and lists. */
  public Directory directory() {
    return directory;
  }

  /** Content and payloads. */
  public BlobStore blobs() {
    return blobs;
  }

  /** Logs that machines have sent. */
  public LogArchive logs() {
    return logs;
  }

  /** What encrypts secrets at rest. */
  public Vault vault() {
    return vault;
  }

  /** 32 random bytes, made once, from which ids are minted and URLs are signed. */
  public byte[] serverKey() {
    return serverKey.clone();
  }

  /** The authority that signs certificates of machines; read when it is asked for. */
  public CertificateAuthority authority() {
    return keys.authority();
  }

  /** Where the actor system finds journal and snapshots; to be put over its configuration. */
  public Config journalConfig() {
    return journalConfig;
  }

  /** Where members of the cluster are that has the store; none where this process is the first. */
  public List<String> members() {
    return members;
  }

  /** This process has formed its cluster, or joined it: others may enter. */
  public void formed() {
    if (hold != null && members.isEmpty()) {
      hold.formed();
    }
  }

  /**
   * Done, with a sentence, when another cluster has taken the store: this process must end. Only
   * where the store is a database that others can reach.
   */
  public CompletionStage<String> lost() {
    return hold == null ? new CompletableFuture<>() : hold.lost();
  }

  /** Ends what is in flight, closes the stores and gives the data directory free. */
  @Override
  public void close() {
    closeAll(toClose);
  }

  private static void closeAll(Deque<AutoCloseable> parts) {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception failure) {
        System.getLogger(Persistence.class.getName())
            .log(System.Logger.Level.WARNING, "A store did not close well", failure);
      }
    }
  }
}
