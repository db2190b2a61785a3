import { Bus } from '../../bus/connection.ts';
import { Logger } from '../../bus/log.ts';
import { Outbox } from '../../bus/outbox.ts';
import { commands } from '../../bus/subjects.ts';
import { type Detector, DetectorSettingsError } from './detector.ts';
import type { DetectorHostOrder, DetectorHostSign } from './order.ts';
import { detectors } from './registry.ts';
import { endLostObjects } from './tflite/lost-objects.ts';
import type { ModelSource } from './tflite/model-source.ts';
import { ObjectFinder } from './tflite/object-finder.ts';
import type { Workshop } from './tflite/workshop.ts';

const eventLimit = 1000;
/** A detector that nobody has asked for in this time stops. */
const lease = 15_000;
const lastWords = 500;
const signInterval = 3000;

interface Watching {
  readonly wish: string;
  readonly detector: Detector;
  expires: number;
}

/**
 * Runs the detectors that are asked for over the bus, until the parent goes.
 *
 * @param sign tells the parent.
 */
export async function watch(
  { bus: address, configDir, storageDir, log: logSettings }: DetectorHostOrder,
  workshop: Workshop,
  sign: (message: DetectorHostSign) => void,
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
  const finder = new ObjectFinder({ configDir, storageDir, workshop, log, onOpen });
  const watching = new Map<string, Watching>();
  setInterval(() => {
    for (const [key, { expires }] of watching) if (expires < Date.now()) stop(key);
  }, 1000);

  bus.answer(commands.detect, ['*'], (command, [, monitorID = '']) => {
    const { detector: name, monitorName, settings } = command;
    const create = detectors[name];
    if (!create) throw new DetectorSettingsError(`there is no detector ${name}`);
    const key = `${monitorID} ${name}`;
    if (!settings) return stop(key);
    const wish = JSON.stringify([monitorName, settings]);
    const current = watching.get(key);
    if (current?.wish === wish) {
      current.expires = Date.now() + lease;
      return;
    }
    stop(key);
    const log = logger.source(name);
    const detector = create({ monitorID, monitorName, bus, frames, outbox, log, finder }, settings);
    watching.set(key, { wish, detector, expires: Date.now() + lease });
  });
  process.once('disconnect', () => void leave());
  setInterval(() => sign('alive'), signInterval);
  // Only once the bus knows who answers can anybody ask.
  await bus.flush().catch(() => {});
  sign('ready');
  // No detector has come so far that it could tell of an object.
  endLostObjects(bus, outbox).catch((error: Error) =>
    log.warning(`objects may stay without an end: ${error.message}`),
  );

  /** What detectors have to say at their end is still told. */
  async function leave(): Promise<void> {
    for (const key of [...watching.keys()]) stop(key);
    await Promise.all([outbox.flush(lastWords), logger.flush(lastWords), finder.close()]);
    process.exit();
  }

  function stop(key: string): void {
    watching.get(key)?.detector.stop();
    watching.delete(key);
  }
}
