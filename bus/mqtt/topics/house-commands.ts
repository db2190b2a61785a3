import { nowUs } from '../../base/time.ts';
import type { Log } from '../../log.ts';
import type { Bus } from '../../nats/bus.ts';
import { commands } from '../../subjects.ts';
import type { House } from './house-monitor.ts';
import type { HouseTopics } from './house-topics.ts';
import type { RetainedTopics } from './retained-topics.ts';
import type { Voice } from './voice.ts';

interface HouseCommandsOptions {
  readonly bus: Bus;
  readonly house: House;
  readonly houseTopics: HouseTopics;
  readonly topics: RetainedTopics;
  readonly voice: Voice;
  readonly prefix: string;
  readonly log: Log;
}

/** A manual recording is asked for in short steps, so that it can be ended. */
const stepUs = 4_000_000;
const renewMs = 1000;
const usualRecordS = 60;
const maxRecordS = 3600;
const maxWaiting = 100;

/**
 * Commands from the house: `<prefix>/monitor/<id>/<detector>/set` (`ON`, `OFF`), and `…/record/set` (`ON`, `OFF`, or a number
 * of seconds). The result is the topic of the state; after a command that fails, the state is published again.
 */
export class HouseCommands {
  readonly #options: HouseCommandsOptions;
  /** Ends of manual recordings, by monitor. */
  readonly #recordings = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #waiting = 0;
  #done: Promise<void> = Promise.resolve();

  constructor(options: HouseCommandsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#renew(), renewMs);
  }

  /** What the broker must send. */
  static filter(prefix: string): string {
    return `${prefix}/monitor/+/+/set`;
  }

  /** @param isRetained it was given before the broker was connected, and is ignored. */
  message(topic: string, payload: Buffer, isRetained: boolean): void {
    const { prefix, log } = this.#options;
    const [monitorID, what, verb, ...rest] = topic.startsWith(`${prefix}/monitor/`)
      ? topic.slice(`${prefix}/monitor/`.length).split('/')
      : [];
    if (monitorID === undefined || what === undefined || verb !== 'set' || rest.length > 0) return;
    if (isRetained || this.#waiting >= maxWaiting) return;
    this.#waiting += 1;
    this.#done = this.#done
      .then(() => this.#run(monitorID, what, payload.toString('utf8', 0, 32).trim()))
      .catch((error: Error) => {
        log.warning(`a command over MQTT failed: ${error.message}`);
        this.#repeat(monitorID, what);
      })
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #run(monitorID: string, what: string, value: string): Promise<void> {
    const { house, houseTopics, voice, log } = this.#options;
    const monitor = houseTopics.get(monitorID)?.monitor;
    if (!monitor) throw new Error(`there is no monitor ${JSON.stringify(monitorID.slice(0, 24))}`);
    if (what === 'record') return this.#record(monitorID, value);
    // Once is enough: the configuration is that of all machines.
    if (!voice.speaks(monitorID)) return;
    const detector = monitor.detectors.find(({ name }) => name === what);
    if (!detector) throw new Error(`there is no detector ${JSON.stringify(what.slice(0, 24))}`);
    if (value !== 'ON' && value !== 'OFF') throw new Error(`expected ON or OFF for ${what}`);
    if (detector.isEnabled === (value === 'ON')) return this.#repeat(monitorID, what);
    await house.setDetector(monitorID, what, value === 'ON');
    log.info(`${what} ${value === 'ON' ? 'enabled' : 'disabled'} over MQTT`, monitorID);
  }

  #record(monitorID: string, value: string): void {
    const seconds = value === 'ON' ? usualRecordS : value === 'OFF' ? 0 : Number(value);
    if (value === '' || !(seconds >= 0 && seconds <= maxRecordS)) {
      throw new Error(`expected ON, OFF or a number of seconds up to ${maxRecordS} for record`);
    }
    this.#recordings.set(monitorID, nowUs() + Math.round(seconds * 1e6));
    const { voice, log } = this.#options;
    const text = seconds > 0 ? `recording for ${seconds} s requested over MQTT` : 'recording ended over MQTT';
    // Others know it as well, in case that they take over meanwhile.
    if (voice.speaks(monitorID)) log.info(text, monitorID);
    this.#renew();
  }

  #renew(): void {
    const { bus, houseTopics } = this.#options;
    const now = nowUs();
    for (const [monitorID, end] of this.#recordings) {
      const monitor = houseTopics.get(monitorID);
      const isOver = !monitor || end <= now;
      if (isOver) this.#recordings.delete(monitorID);
      monitor?.manualRecording(!isOver);
      // A camera that is offline is asked again.
      if (!isOver) {
        bus.request(commands.record, [monitorID], { until: Math.min(end, now + stepUs) }).catch(() => {});
      }
    }
  }

  #repeat(monitorID: string, what: string): void {
    const { topics, prefix } = this.#options;
    for (const path of [what, `${what}/enabled`]) {
      const topic = `${prefix}/monitor/${monitorID}/${path}`;
      if (topics.get(topic) !== undefined) topics.repeat(topic);
    }
  }
}
