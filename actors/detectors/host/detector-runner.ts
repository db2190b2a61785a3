import { Check, Errors } from 'typebox/schema';
import { endProcess } from '../../../bus/children/process-end.ts';
import { stopDeadlinesMs } from '../../../bus/children/stop-deadlines.ts';
import { leases } from '../../../bus/leases.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import { Bus } from '../../../bus/nats/bus.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { commands } from '../../../bus/subjects.ts';
import { pipelineBudget } from '../../../pipelines/gstreamer/pipeline-budget.ts';
import type { DetectorSettings } from '../../../store/detectors/detector-section.ts';
import {
  type Detector,
  type DetectorDefinition,
  type DetectorHost,
  DetectorSettingsError,
  type LoadedDetector,
} from '../detector-contract.ts';
import { FrameStreams } from '../frames/frame-streams.ts';
import type { InferenceWorker } from '../objects/inference/inference-worker.ts';
import type { ModelSource } from '../objects/models/model-source.ts';
import type { DetectorHostConfig, DetectorHostMessage } from './detector-host-protocol.ts';
import { detectors } from './detector-list.ts';

const eventLimit = 1000;

interface DetectorKind {
  readonly definition: DetectorDefinition;
  readonly loaded: LoadedDetector<DetectorSettings>;
}

interface RunningDetector {
  readonly wish: string;
  readonly detector: Detector;
  readonly expiry: NodeJS.Timeout;
}

/**
 * Runs the detectors that are requested over the bus, until the parent ends.
 *
 * @param sign sends a message to the parent.
 */
export async function runDetectors(
  { bus: address, configDir, storageDir, log: logSettings }: DetectorHostConfig,
  inferenceWorker: InferenceWorker,
  sign: (message: DetectorHostMessage) => void,
): Promise<void> {
  const logger = new Logger();
  logger.configure(logSettings);
  const [bus, pictures] = await Promise.all([
    Bus.connect(address, 'detectors'),
    Bus.connect(address, 'detectors: pictures'),
  ]);
  logger.attach(bus);
  const frames = new FrameStreams(pictures, logger.source('monitor'));
  const outbox = new Outbox(eventLimit, (count) =>
    logger.source('app').error(`${count} events were lost while the bus was unreachable`),
  );
  outbox.attach(bus);

  const onModelOpened = (model: ModelSource) => sign({ opened: model });
  const lent = { configDir, storageDir, bus, outbox, inferenceWorker, onModelOpened };
  const kinds = await loadDetectors((name) => ({ ...lent, log: logger.source(name) }));
  const watching = new Map<string, RunningDetector>();

  bus.respond(commands.detect, ['*'], (command, [, monitorID = '']) => {
    const { detector: name, monitorName, maxFrameRate, settings, frames: need } = command;
    const kind = kinds.get(name);
    if (!kind) throw new DetectorSettingsError(`the detector ${name} is not available`);
    const key = `${monitorID} ${name}`;
    if (!settings || !need) return stop(key);
    const wish = JSON.stringify([monitorName, maxFrameRate, settings, need]);
    const current = watching.get(key);
    if (current?.wish === wish) {
      current.expiry.refresh();
      return;
    }
    stop(key);
    const detector = kind.loaded.create(
      {
        ...{ name, monitorID, monitorName, maxFrameRate, bus, outbox, log: logger.source(name) },
        openFrames: (onFrame, motion) => frames.open(monitorID, need, onFrame, motion),
      },
      checked(kind.definition, settings),
    );
    const expiry = setTimeout(() => stop(key), leases.detector.expireMs);
    watching.set(key, { wish, detector, expiry });
  });
  process.once('disconnect', () => void leave());
  setInterval(() => sign(pipelineBudget.isSpent ? 'worn' : 'alive'), leases.detectorHostHeartbeat.renewMs);
  // Ready only after the bus has registered the subscription, so that requests are answered.
  await bus.flush().catch(() => {});
  sign('ready');

  /** Events and log entries of the detectors' end are still published. */
  async function leave(): Promise<void> {
    for (const key of [...watching.keys()]) stop(key);
    const closing = [...kinds.values()].map(({ loaded }) => loaded.close?.());
    await Promise.all([
      outbox.flush(stopDeadlinesMs.detectorEvents),
      logger.flush(stopDeadlinesMs.detectorLog),
      ...closing,
    ]);
    endProcess(0);
  }

  function stop(key: string): void {
    const running = watching.get(key);
    clearTimeout(running?.expiry);
    running?.detector.stop();
    watching.delete(key);
  }
}

/** Loads every detector; one that fails does not affect the others. */
async function loadDetectors(hostOf: (name: string) => DetectorHost) {
  const kinds = new Map<string, DetectorKind>();
  const loading = detectors.map(async (definition) => {
    const host = hostOf(definition.name);
    try {
      kinds.set(definition.name, { definition, loaded: await definition.load(host) });
    } catch (error) {
      host.log.error(`the detector cannot be loaded: ${(error as Error).message}`);
    }
  });
  await Promise.all(loading);
  return kinds;
}

/** @throws {DetectorSettingsError} naming the wrong field. */
function checked({ schema }: DetectorDefinition, settings: unknown): DetectorSettings {
  if (Check(schema, settings)) return settings as unknown as DetectorSettings;
  const [, [first]] = Errors(schema, settings);
  throw new DetectorSettingsError(`${first?.instancePath || '/'} ${first?.message ?? 'is wrong'}`);
}
