import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type StopStep, stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import type { Logger } from '../bus/logging/logger.ts';
import type { MqttBridge } from '../bus/mqtt/mqtt-bridge.ts';
import { Bus } from '../bus/nats/bus.ts';
import type { BusAddress } from '../bus/nats/bus-address.ts';
import { removeBusAddress, writeBusAddress } from '../bus/nats/bus-address-file.ts';
import { forgetDurableReader } from '../bus/nats/durable-reader.ts';
import { ensureStreams } from '../bus/nats/jetstream.ts';
import { type NatsServer, startNatsServer } from '../bus/nats/nats-server.ts';
import { watchStreamHealth } from '../bus/nats/stream-health.ts';
import { questions } from '../bus/subjects.ts';
import { DetectorReports } from '../http/state/detector-reports.ts';
import type { Accounts } from '../store/accounts/accounts.ts';
import type { Config } from '../store/config/config.ts';
import { installationId } from '../store/config/installation-id.ts';
import { logFileName } from '../store/log/log-file.ts';
import { LogStore } from '../store/log/log-store.ts';
import type { Monitors } from '../store/monitors/monitors.ts';
import { ClockFollower } from '../store/recordings/clock/clock-follower.ts';
import { removeEventSnapshots } from '../store/recordings/event-snapshots.ts';
import { listUnindexed } from '../store/recordings/files/archive-listing.ts';
import { RecordingFiles } from '../store/recordings/files/recording-files.ts';
import { RecordingMarks } from '../store/recordings/files/recording-marks.ts';
import { FragmentIndexes } from '../store/recordings/fragments/fragment-indexes.ts';
import { makeMissingIndexes } from '../store/recordings/fragments/missing-indexes.ts';
import { RecordingArchive } from '../store/recordings/recording-archive.ts';
import { RemovalReports } from '../store/recordings/removal-reports.ts';
import type { KeptRecording } from '../store/recordings/retention/retention-rules.ts';
import type { StorageContents } from '../store/recordings/retention/storage-survey.ts';
import { readSnapshot } from '../store/recordings/snapshots.ts';
import { answerCatalogue } from '../store/recordings/verification/catalogue-questions.ts';
import { CatalogueRebuild } from '../store/recordings/verification/catalogue-rebuild.ts';
import type { DetectorDefinition } from './detectors/detector-contract.ts';
import { houseView } from './house-view.ts';
import { Pictures } from './pictures.ts';
import { keepRecordingIndexes } from './recording-indexes.ts';
import { retentionRules } from './settings.ts';
import { SourceTests } from './source-tests.ts';
import { enforceDiskLimit, freeSpace } from './storage/disk-limit.ts';

/** The state read from files before anything is started. */
export interface StoredState {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly monitors: Monitors;
  /** All detectors. */
  readonly detectors: readonly DetectorDefinition[];
}

/** The services that run beside the monitors. */
export interface RecorderServices extends StoredState {
  readonly logger: Logger;
  readonly bus: Bus;
  readonly busAddress: BusAddress;
  /** Address of the web server: `https://127.0.0.1:2020`. */
  readonly url: string;
  /** Closes the services in reverse order; one that does not close in time is abandoned. */
  close(): Promise<void>;
}

/** Milliseconds between two checks of the bus's streams. */
const streamCheckIntervalMs = 10_000;
/**
 * Bytes of the recordings' disk that must stay free (a twentieth of a small disk): on a full disk the bus and the database
 * stop working.
 */
const minFreeBytes = 1e9;

/** Opens the services in the order of their dependencies. If one fails, those before it are closed. */
export async function openServices(stored: StoredState, logger: Logger): Promise<RecorderServices> {
  const { config, accounts, monitors } = stored;
  const closers: (() => Promise<void>)[] = [];
  const log = logger.source('app');
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) {
      await closer().catch((error: Error) => log.error(`closing: ${error.message}`));
    }
  };
  try {
    for (const dir of [config.storageDir, config.mediaDir])
      await mkdir(dir, { recursive: true, mode: 0o750 });

    let busAddress: BusAddress = config.bus;
    let embedded: NatsServer | undefined;
    if (config.bus.servers.length === 0) {
      const dir = join(config.storageDir, 'bus');
      const server = await startNatsServer({ dir, log });
      const stopServer = async () => void (await Promise.all([removeBusAddress(dir), server.stop()]));
      closers.push(within('natsServer', stopServer));
      await writeBusAddress(dir, server.address);
      busAddress = server.address;
      embedded = server;
    }
    const bus = await Bus.connect(busAddress, 'main');
    closers.push(within('bus', () => bus.close()));
    await ensureStreams(bus);
    const watch = watchStreamHealth(bus, streamCheckIntervalMs, () => {
      log.error('JetStream stopped storing messages (disk full?); restarting nats-server');
      embedded?.restart();
    });
    closers.push(async () => watch.stop());
    logger.attach(bus);
    closers.push(() => logger.flush(stopDeadlinesMs.mainLog));

    const recordingsDir = join(config.storageDir, 'recordings');
    const removals = new RemovalReports(bus, (count) =>
      log.warning(
        `the catalogue misses the deletion of ${count} recordings: the bus was unreachable for too long`,
      ),
    );
    const files = new RecordingFiles(recordingsDir);
    const indexes = new FragmentIndexes(files);
    const marks = new RecordingMarks(files);
    const logFile = join(config.storageDir, logFileName);
    const kept = {
      ...{ storageDir: config.storageDir, logFile, files, marks },
      limits: {
        // The file may be read again.
        get maxBytes() {
          return config.maxDiskUsage;
        },
        minFreeBytes,
      },
      rulesOf: (monitorID: string) => retentionRules(monitors.get(monitorID)),
      monitorIDs: () => monitors.list().map(({ id }) => id),
      onRemoved: (id: string, reason: string) => removals.add(id, reason),
      onMissing: (id: string, reason: string) => removals.add(id, reason, true),
    };
    const recorderLog = logger.source('recorder');
    await freeSpace({ ...kept, removeRest: async () => {} }, recorderLog);

    // The web server's modules load while the log store's thread opens its database.
    const loading = import('../http/server.ts');
    const logs = await LogStore.open({
      file: logFile,
      bus: busAddress,
      logs: config.logs,
      onError: (error) => log.error(`log store: ${error.message}`),
    });
    closers.push(within('logStore', () => logs.close()));
    const removeRest = (recordings: readonly KeptRecording[]) =>
      removeEventSnapshots(config.storageDir, logs, recordings);
    const rebuild = new CatalogueRebuild({
      ...{ bus, files, catalogue: logs, log: recorderLog },
      recheck: () => diskLimit.check(),
    });
    const onChecked = ({ unlisted }: StorageContents) => rebuild.begin(unlisted);
    const diskLimit = enforceDiskLimit({ ...kept, catalogue: logs, removeRest, onChecked }, recorderLog);
    const clockFollower = new ClockFollower({
      ...{ bus, files, catalogue: logs, log: recorderLog },
      onRenamed: (id) => indexes.forget(id),
    });
    closers.push(
      within('retention', async () => {
        await Promise.all([diskLimit.end(), rebuild.end(), clockFollower.end()]);
        await removals.flush(stopDeadlinesMs.retention);
      }),
    );

    let bridge: MqttBridge | undefined;
    // Otherwise, when MQTT is enabled again, it would publish events that are weeks old.
    if (!config.mqtt) await forgetDurableReader(bus, 'EVENTS', 'mqtt');
    else {
      // Imported only if needed: the client is a fifth of all modules.
      const { startMqttBridge } = await import('../bus/mqtt/mqtt-bridge.ts');
      const installation = await installationId(config.storageDir);
      const recordFile = join(config.storageDir, 'mqtt-topics.json');
      const house = houseView(stored, bus, () => diskLimit.report(60_000));
      const options = { clientId: installation, installation, ...config.mqtt, recordFile };
      const started = await startMqttBridge(bus, options, logger.source('mqtt'), house);
      bridge = started;
      closers.push(within('mqtt', () => started.close()));
    }

    const videoBus = await Bus.connect(busAddress, 'live video');
    closers.push(within('bus', () => videoBus.close()));
    const { startHttpServer } = await loading;
    const reports = new DetectorReports(bus);
    closers.push(async () => reports.close());

    const sourceTests = new SourceTests(config);
    const pictures = new Pictures(config.storageDir);
    const recordings = new RecordingArchive({
      files,
      indexes,
      marks,
      catalogue: logs,
      makePicture: (order) => pictures.make(order),
      onRemoved: (id, reason) => removals.add(id, reason),
      removeRest,
    });
    const endIndexes = keepRecordingIndexes(bus, recordings);
    closers.push(async () => endIndexes());
    closers.push(makeMissingIndexes({ ids: () => listUnindexed(recordingsDir), files, indexes }));
    const endAnswers = answerCatalogue(bus, logs);
    closers.push(async () => endAnswers());
    const endCheckpoints = bus.answer(questions.checkpoint, ({ holdMs }) => logs.checkpoint(holdMs));
    closers.push(async () => endCheckpoints());
    const http = await startHttpServer({
      config,
      accounts,
      monitors,
      logs,
      recordings,
      bus,
      videoBus,
      log: logger.source('auth'),
      detectors: () => reports.list(),
      snapshot: (eventID) => readSnapshot(config.storageDir, eventID),
      testSource: (monitor, signal) => sourceTests.run(monitor, signal),
      storage: (maxAgeMs) => diskLimit.report(maxAgeMs),
      lastStorage: () => diskLimit.lastReport(),
      catalogueProgress: (maySee) => rebuild.progress(maySee),
      mqtt: async () => bridge?.report(),
      health: () => bus.connected && watch.healthy,
    });
    closers.push(within('http', () => http.close()));
    diskLimit.begin();
    // Before the web server, which waits for its answers.
    closers.push(async () => sourceTests.close());
    closers.push(async () => pictures.close());
    return { ...stored, logger, bus, busAddress, url: http.address, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for one service to close, up to its deadline, so that the next ones are closed as well. */
function within(step: StopStep, close: () => Promise<void>): () => Promise<void> {
  return () => Promise.race([close(), sleep(stopDeadlinesMs[step], undefined, { ref: false })]);
}
