import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MachineClock } from '../bus/base/machine-clock.ts';
import { stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import type { Logger } from '../bus/logging/logger.ts';
import type { MqttBridge } from '../bus/mqtt/mqtt-bridge.ts';
import type { House } from '../bus/mqtt/topics/house-monitor.ts';
import { Bus } from '../bus/nats/bus.ts';
import type { BusAddress } from '../bus/nats/bus-address.ts';
import { forgetDurableReader } from '../bus/nats/durable-reader.ts';
import { type StreamEnds, streamEnds } from '../bus/nats/jetstream.ts';
import { questions } from '../bus/subjects.ts';
import { DetectorReports } from '../http/state/detector-reports.ts';
import type { Accounts } from '../store/accounts/accounts.ts';
import type { Config } from '../store/config/config.ts';
import { installationId } from '../store/config/installation-id.ts';
import { machineName } from '../store/config/machine-name.ts';
import type { MqttConfig } from '../store/config/mqtt-config.ts';
import { logFileName } from '../store/log/log-file.ts';
import { LogStore } from '../store/log/log-store.ts';
import type { Monitors } from '../store/monitors/monitors.ts';
import { ClockFollower } from '../store/recordings/clock/clock-follower.ts';
import { ClockHistory } from '../store/recordings/clock/clock-history.ts';
import { PendingReports } from '../store/recordings/clock/pending-reports.ts';
import { removeEventSnapshots } from '../store/recordings/event-snapshots.ts';
import { listUnindexed } from '../store/recordings/files/archive-listing.ts';
import { RecordingFiles } from '../store/recordings/files/recording-files.ts';
import { RecordingMarks } from '../store/recordings/files/recording-marks.ts';
import { FragmentIndexes } from '../store/recordings/fragments/fragment-indexes.ts';
import { makeMissingIndexes } from '../store/recordings/fragments/missing-indexes.ts';
import { RecordingArchive } from '../store/recordings/recording-archive.ts';
import { RemovalReports } from '../store/recordings/removal-reports.ts';
import type { RetentionOptions } from '../store/recordings/retention/recording-retention.ts';
import type { KeptRecording } from '../store/recordings/retention/retention-rules.ts';
import type { StorageContents } from '../store/recordings/retention/storage-survey.ts';
import { readSnapshot } from '../store/recordings/snapshots.ts';
import { answerCatalogue } from '../store/recordings/verification/catalogue-questions.ts';
import { CatalogueRebuild } from '../store/recordings/verification/catalogue-rebuild.ts';
import { Closers } from './base/closers.ts';
import { type OpenBus, openBus } from './base/open-bus.ts';
import type { ClusterMember } from './cluster/cluster-member.ts';
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

/** What monitors need: they begin on it, while the services beside them are opened. */
export interface Ground extends StoredState {
  readonly logger: Logger;
  readonly bus: Bus;
  readonly busAddress: BusAddress;
  readonly isBusHealthy: OpenBus['isHealthy'];
  /** Only where there are several machines. */
  readonly cluster: ClusterMember | undefined;
  readonly recordings: KeptRecordings;
  /** As it was before the first recording. */
  readonly clock: MachineClock;
  /** As they were before the first monitor, for whoever follows them later. Only with MQTT. */
  readonly since?: StreamEnds;
  /** Of all that was opened on it, too. */
  readonly closers: Closers;
}

/** The folder of recordings, and what is kept in it. */
interface KeptRecordings {
  readonly retention: Omit<RetentionOptions, 'catalogue' | 'removeRest'>;
  readonly removals: RemovalReports;
}

/** The services that run beside the monitors. */
export interface RecorderServices {
  /** Address of the web server: `https://127.0.0.1:2020`. */
  readonly url: string;
}

/**
 * Bytes of the recordings' disk that must stay free (a twentieth of a small disk): on a full disk the bus and the database
 * stop working.
 */
const minFreeBytes = 1e9;

/** Opens the bus, and makes room on a full disk. If one fails, what was opened before is closed. */
export async function openGround(stored: StoredState, logger: Logger): Promise<Ground> {
  const { config } = stored;
  const closers = new Closers(logger.source('app'));
  try {
    for (const dir of [config.storageDir, config.mediaDir])
      await mkdir(dir, { recursive: true, mode: 0o750 });
    const cluster = await joinCluster(stored, logger);
    if (cluster) closers.addWithin('natsServer', () => cluster.close());
    const { bus, address, isHealthy } = await openBus(config, logger, closers, cluster?.plane);
    cluster?.follow(bus);
    const recordings = keepRecordings(stored, bus, logger);
    await freeSpace({ ...recordings.retention, removeRest: async () => {} }, logger.source('recorder'));
    const clock = new MachineClock();
    return {
      ...stored,
      logger,
      bus,
      busAddress: address,
      isBusHealthy: isHealthy,
      cluster,
      recordings,
      clock,
      ...(config.mqtt && (await endsOf(bus))),
      closers,
    };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** Nothing where the bus does not answer: the bridge asks again, when it begins. */
async function endsOf(bus: Bus): Promise<Pick<Ground, 'since'>> {
  const since = await streamEnds(bus).catch(() => undefined);
  return since ? { since } : {};
}

/** Nothing of it is loaded where there is one machine. */
async function joinCluster(
  { config, monitors, accounts }: StoredState,
  logger: Logger,
): Promise<ClusterMember | undefined> {
  const { cluster, storageDir, configDir } = config;
  if (!cluster) return undefined;
  const { ClusterMember } = await import('./cluster/cluster-member.ts');
  const stored = { configDir, monitors, accounts };
  return ClusterMember.start({ cluster, storageDir, log: logger.source('cluster'), stored });
}

/** Of several machines, each has its own name at the broker, and they are one installation. */
async function mqttOfSite(cluster: ClusterMember, { clientId }: MqttConfig, house: House) {
  const { SiteVoice } = await import('../bus/mqtt/voice/site-voice.ts');
  return {
    installation: cluster.installation,
    ...(clientId !== undefined && { clientId: `${clientId}-${cluster.machine}` }),
    // The broker notices soon that one is gone.
    keepaliveS: 3,
    voice: new SiteVoice({ site: cluster, monitors: () => house.monitors() }),
  };
}

function keepRecordings({ config, monitors }: StoredState, bus: Bus, logger: Logger): KeptRecordings {
  const removals = new RemovalReports(bus, (count) =>
    logger
      .source('app')
      .warning(
        `the catalogue misses the deletion of ${count} recordings: the bus was unreachable for too long`,
      ),
  );
  const files = new RecordingFiles(join(config.storageDir, 'recordings'));
  const retention = {
    ...{ storageDir: config.storageDir, logFile: join(config.storageDir, logFileName) },
    ...{ files, marks: new RecordingMarks(files) },
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
  return { retention, removals };
}

/**
 * Opens the services in the order of their dependencies, while monitors record. After a failure the ground's closers have
 * what was opened before.
 */
export async function openServices(ground: Ground): Promise<RecorderServices> {
  const { config, accounts, monitors, logger, bus, busAddress, closers } = ground;
  const { retention, removals } = ground.recordings;
  const { files, marks, logFile } = retention;
  const log = logger.source('app');
  const recorderLog = logger.source('recorder');
  const indexes = new FragmentIndexes(files);

  // The web server's modules load while the log store's thread opens its database.
  const loading = import('../http/server.ts');
  const logs = await LogStore.open({
    file: logFile,
    bus: busAddress,
    machine: machineName(config.cluster),
    site: ground.cluster?.plane.streams,
    logs: config.logs,
    onError: (error) => log.error(`log store: ${error.message}`),
  });
  closers.addWithin('logStore', () => logs.close());
  const { cluster } = ground;
  if (cluster) {
    const recorders = () => cluster.report().filter(({ capacity }) => capacity);
    closers.add(cluster.onHeard(() => logs.hear(recorders().map(({ name }) => name))));
  }
  const removeRest = (recordings: readonly KeptRecording[]) =>
    removeEventSnapshots(config.storageDir, logs, recordings);
  const rebuild = new CatalogueRebuild({ bus, files, catalogue: logs, log: recorderLog });
  const onChecked = ({ unlisted }: StorageContents) => rebuild.begin(unlisted);
  const diskLimit = enforceDiskLimit({ ...retention, catalogue: logs, removeRest, onChecked }, recorderLog);
  const clockFollower = new ClockFollower({
    ...{ bus, files, catalogue: logs, log: recorderLog },
    onRenamed: (id) => indexes.forget(id),
    history: await ClockHistory.open(config.storageDir, ground.clock.start),
    pending: await PendingReports.open(config.storageDir),
    clock: ground.clock,
  });
  closers.addWithin('retention', async () => {
    await Promise.all([diskLimit.end(), rebuild.end(), clockFollower.end()]);
    await removals.flush(stopDeadlinesMs.retention);
  });

  let bridge: MqttBridge | undefined;
  // Otherwise, when MQTT is enabled again, it would publish events that are weeks old.
  if (!config.mqtt) await forgetDurableReader(bus, 'EVENTS', 'mqtt');
  else {
    // Imported only if needed: the client is a fifth of all modules.
    const { startMqttBridge } = await import('../bus/mqtt/mqtt-bridge.ts');
    const installation = await installationId(config.storageDir);
    const recordFile = join(config.storageDir, 'mqtt-topics.json');
    const house = houseView(ground, bus, () => diskLimit.report(60_000));
    const site = ground.cluster && (await mqttOfSite(ground.cluster, config.mqtt, house));
    const options = { clientId: installation, installation, ...config.mqtt, recordFile, ...site };
    const started = await startMqttBridge(bus, options, logger.source('mqtt'), house);
    bridge = started;
    closers.addWithin('mqtt', () => started.close());
  }

  const videoBus = await Bus.connect(busAddress, 'live video');
  closers.addWithin('bus', () => videoBus.close());
  const { startHttpServer } = await loading;
  const reports = new DetectorReports(bus);
  closers.add(() => reports.close());

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
  closers.add(endIndexes);
  const recordingsDir = join(config.storageDir, 'recordings');
  closers.add(makeMissingIndexes({ ids: () => listUnindexed(recordingsDir), files, indexes }));
  const endAnswers = answerCatalogue(bus, logs);
  closers.add(endAnswers);
  const endCheckpoints = bus.answer(questions.checkpoint, ({ holdMs }) => logs.checkpoint(holdMs));
  closers.add(endCheckpoints);
  const http = await startHttpServer({
    config,
    accounts,
    monitors,
    logs,
    recordings,
    bus,
    videoBus,
    log: logger.source('auth'),
    siteLog: logger.source('cluster'),
    detectors: () => reports.list(),
    snapshot: (eventID) => readSnapshot(config.storageDir, eventID),
    testSource: (monitor, signal) => sourceTests.run(monitor, signal),
    storage: (maxAgeMs) => diskLimit.report(maxAgeMs),
    lastStorage: () => diskLimit.lastReport(),
    catalogueProgress: (maySee) => rebuild.progress(maySee),
    mqtt: async () => bridge?.report(),
    site: ground.cluster,
    machines: () => ground.cluster?.report() ?? [],
    declareMachineOff: (name) => ground.cluster?.declareOff(name),
    health: ground.isBusHealthy,
  });
  closers.addWithin('http', () => http.close());
  diskLimit.begin();
  // Before the web server, which waits for its answers.
  closers.add(() => sourceTests.close());
  closers.add(() => pictures.close());
  return { url: http.address };
}
