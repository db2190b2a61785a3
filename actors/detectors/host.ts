import { Bus } from '../../bus/connection.ts';
import { Logger } from '../../bus/log.ts';
import { Outbox } from '../../bus/outbox.ts';
import { commands } from '../../bus/subjects.ts';
import { type Detector, DetectorSettingsError } from './detector.ts';
import type { DetectorHostOrder, DetectorHostSign } from './order.ts';
import { detectors } from './registry.ts';
import { ObjectFinder } from './tflite/object-finder.ts';

/**
 * The detector host: a process of its own, so that looking at pictures never holds up the recorder.
 *
 * Its parent's first message says where the bus and its files are. Everything after that comes over the bus; it ends when its
 * parent does.
 */

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

process.once('disconnect', () => setTimeout(() => process.exit(), 2 * lastWords));
process.once('message', (order: DetectorHostOrder) => void run(order));
// A terminal's Ctrl-C reaches the whole group; the parent decides when this process ends.
process.on('SIGINT', () => {});

async function run({ bus: address, configDir, storageDir, log }: DetectorHostOrder): Promise<void> {
  const logger = new Logger();
  logger.configure(log);
  const [bus, frames] = await Promise.all([
    Bus.connect(address, 'detectors'),
    Bus.connect(address, 'detectors: frames'),
  ]);
  logger.attach(bus);
  const outbox = new Outbox(eventLimit, (count) =>
    logger.source('app').error(`${count} events were lost while the bus was away`),
  );
  outbox.attach(bus);

  const finder = new ObjectFinder({ configDir, storageDir, log: logger.source('tflite') });
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
  const sign = (message: DetectorHostSign) => process.send?.(message);
  sign('ready');
  setInterval(() => sign('alive'), signInterval);

  /** What detectors have to say at their end is still told. */
  async function leave(): Promise<void> {
    for (const key of [...watching.keys()]) stop(key);
    await Promise.all([outbox.flush(lastWords), logger.flush(lastWords)]);
    process.exit();
  }

  function stop(key: string): void {
    watching.get(key)?.detector.stop();
    watching.delete(key);
  }
}
