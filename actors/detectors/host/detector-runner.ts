import { endProcess } from '../../../bus/base/process-end.ts';
import { stopDeadlinesMs } from '../../../bus/base/stop-deadlines.ts';
import { leases } from '../../../bus/leases.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import { Bus } from '../../../bus/nats/bus.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { commands } from '../../../bus/subjects.ts';
import { type Detector, DetectorSettingsError } from '../detector-contract.ts';
import type { InferenceWorker } from '../objects/inference/inference-worker.ts';
import type { ModelSource } from '../objects/models/model-source.ts';
import { ObjectDetectionResources } from '../objects/object-detection-resources.ts';
import { endOpenObjects } from '../objects/open-objects.ts';
import type { DetectionHostConfig, DetectionHostMessage } from './detection-host-protocol.ts';
import { detectors } from './registry.ts';

const eventLimit = 1000;

interface RunningDetector {
  readonly wish: string;
  readonly detector: Detector;
  expires: number;
}

/**
 * Runs the detectors that are asked for over the bus, until the parent goes.
 *
 * @param sign tells the parent.
 */
export async function runDetectors(
  { bus: address, configDir, storageDir, log: logSettings }: DetectionHostConfig,
  inferenceWorker: InferenceWorker,
  sign: (message: DetectionHostMessage) => void,
): Promise<void> {
  const logger = new Logger();
  logger.configure(logSettings);
  const [bus, frames] = await Promise.all([
    Bus.connect(address, 'detectors'),
    Bus.connect(address, 'detectors: frames'),
  ]);
  logger.attach(bus);
  const outbox = new Outbox(eventLimit, (count) =>
    logger.source('app').error(`${count} events were lost while the bus was away`),
  );
  outbox.attach(bus);

  const log = logger.source('tflite');
  const onOpen = (model: ModelSource) => sign({ opened: model });
  const objectDetection = new ObjectDetectionResources({
    configDir,
    storageDir,
    inferenceWorker,
    log,
    onOpen,
  });
  const watching = new Map<string, RunningDetector>();
  setInterval(() => {
    for (const [key, { expires }] of watching) if (expires < Date.now()) stop(key);
  }, 1000);

  bus.respond(commands.detect, ['*'], (command, [, monitorID = '']) => {
    const { detector: name, monitorName, settings } = command;
    const create = detectors[name];
    if (!create) throw new DetectorSettingsError(`there is no detector ${name}`);
    const key = `${monitorID} ${name}`;
    if (!settings) return stop(key);
    const wish = JSON.stringify([monitorName, settings]);
    const current = watching.get(key);
    if (current?.wish === wish) {
      current.expires = Date.now() + leases.detector.expireMs;
      return;
    }
    stop(key);
    const log = logger.source(name);
    const detector = create({ monitorID, monitorName, bus, frames, outbox, log, objectDetection }, settings);
    watching.set(key, { wish, detector, expires: Date.now() + leases.detector.expireMs });
  });
  process.once('disconnect', () => void leave());
  setInterval(() => sign('alive'), leases.detectorHostHeartbeat.renewMs);
  // Only once the bus knows who answers can anybody ask.
  await bus.flush().catch(() => {});
  sign('ready');
  // No detector has come so far that it could tell of an object.
  endOpenObjects(bus, outbox).catch((error: Error) =>
    log.warning(`objects may stay without an end: ${error.message}`),
  );

  /** What detectors have to say at their end is still told. */
  async function leave(): Promise<void> {
    for (const key of [...watching.keys()]) stop(key);
    await Promise.all([
      outbox.flush(stopDeadlinesMs.detectorEvents),
      logger.flush(stopDeadlinesMs.detectorLog),
      objectDetection.close(),
    ]);
    endProcess(0);
  }

  function stop(key: string): void {
    watching.get(key)?.detector.stop();
    watching.delete(key);
  }
}
