import { randomText } from '../../../bus/base/random.ts';
import type { Frame } from '../../../bus/frames.ts';
import { leases } from '../../../bus/leases.ts';
import { commands, events } from '../../../bus/subjects.ts';
import type { MotionConfig } from '../../../store/monitors/monitor-config.ts';
import type { Detector, DetectorEnvironment } from '../detector-contract.ts';
import { LatestSlot } from '../latest-slot.ts';
import { MotionZones } from './motion-zones.ts';

const source = 'motion';

/** Publishes an event for every picture in which an enabled zone moves. */
export class MotionDetector implements Detector {
  readonly #environment: DetectorEnvironment;
  readonly #settings: MotionConfig;
  readonly #unsubscribe: () => void;
  readonly #renewing: NodeJS.Timeout;
  #before: Frame | undefined;
  #zones: MotionZones | undefined;

  constructor(environment: DetectorEnvironment, settings: MotionConfig) {
    this.#environment = environment;
    this.#settings = settings;
    const latest = new LatestSlot<Frame>((frame) => this.#look(frame));
    this.#unsubscribe = environment.frames.subscribeFrames(environment.monitorID, 'gray', (frame) =>
      latest.put(frame),
    );
    this.#askForFrames();
    this.#renewing = setInterval(() => this.#askForFrames(), leases.frames.renewMs);
  }

  stop(): void {
    clearInterval(this.#renewing);
    this.#unsubscribe();
  }

  #askForFrames(): void {
    const { bus, monitorID } = this.#environment;
    bus.publish(commands.frames, [monitorID], { format: 'gray' });
  }

  #look(frame: Frame): void {
    const before = this.#before;
    this.#before = frame;
    // A picture of another connection or size has nothing to be compared with.
    if (
      before?.width !== frame.width ||
      before.height !== frame.height ||
      frame.sequence <= before.sequence
    ) {
      this.#zones = new MotionZones(this.#settings.zones, frame.width, frame.height);
      return;
    }
    const detections = this.#zones?.compare(before.data, frame.data) ?? [];
    if (detections.length === 0) return;
    const { monitorID, monitorName, outbox } = this.#environment;
    const id = randomText(22);
    const event = { id, monitorID, monitorName, source, time: frame.timeUs, detections };
    outbox.add(events, [monitorID, source], event, id);
  }
}
