import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel } from '../../channel.ts';
import type { DetectedObject, DetectionEvent } from '../../messages.ts';
import type { Bus } from '../../nats/bus.ts';
import { lastStored, type Replay, replay, type StreamName, streamRange } from '../../nats/jetstream.ts';
import { events, objects, status } from '../../subjects.ts';
import type { House } from './house-monitor.ts';
import { MonitorTopics } from './monitor-topics.ts';
import type { RetainedTopics } from './retained-topics.ts';
import type { Voice } from './voice.ts';

interface HouseTopicsOptions {
  readonly bus: Bus;
  readonly house: House;
  readonly topics: RetainedTopics;
  readonly voice: Voice;
  readonly prefix: string;
  readonly storageDaysLeft: string;
  /** After this time without an event, a detector finds nothing any more. */
  readonly offDelayMs: number;
}

/** How soon a snapshot is on the disk. */
const snapshotDelayMs = 700;
const storageIntervalMs = 60_000;
const retryMs = 500;
/** What the machine that spoke before has under way is at the broker after this time. */
const settleMs = 2000;

/** Follows the monitors, and keeps their topics. */
export class HouseTopics {
  readonly #options: HouseTopicsOptions;
  readonly #monitors = new Map<string, MonitorTopics>();
  readonly #ends: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #settled = new Set<(monitorID: string) => void>();
  readonly #eventListeners = new Set<(event: DetectionEvent) => void>();
  readonly #objectListeners = new Set<(object: DetectedObject) => void>();
  #isClosed = false;

  constructor(options: HouseTopicsOptions) {
    this.#options = options;
    const { house } = options;
    this.#ends.push(house.onChange(() => this.#configure()));
    const timer = setInterval(() => void this.#writeStorage(), storageIntervalMs);
    this.#ends.push(() => clearInterval(timer));
    void this.#writeStorage();
    this.#configure();
    options.voice.onChange((id) => this.#speak(id));
    options.voice.onReturn(() => {
      for (const id of this.#monitors.keys()) this.#repeatLater(id);
    });
    void this.#recall();
    // What was before this start is over: monitors report anew, and no object is in view.
    this.#follow('STATUS', status, (message) => this.#monitors.get(message.monitorID)?.status(message));
    this.#follow('EVENTS', events, (message) => {
      this.#monitors.get(message.monitorID)?.event(message);
      for (const listener of this.#eventListeners) listener(message);
    });
    this.#follow('OBJECTS', objects, (message) => {
      this.#monitors.get(message.monitorID)?.object(message);
      for (const listener of this.#objectListeners) listener(message);
      void this.#takeSnapshot(message);
    });
  }

  list(): readonly MonitorTopics[] {
    return [...this.#monitors.values()];
  }

  get(monitorID: string): MonitorTopics | undefined {
    return this.#monitors.get(monitorID);
  }

  /** Calls `listener` with each new event. */
  onEvent(listener: (event: DetectionEvent) => void): void {
    this.#eventListeners.add(listener);
  }

  /** Calls `listener` with each object that appears or is gone, after the topics have it. */
  onObject(listener: (object: DetectedObject) => void): void {
    this.#objectListeners.add(listener);
  }

  /** Calls `listener` when a monitor was stored or deleted, after its topics are wanted. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Calls `listener` when all of a monitor is to be published again, because another machine may have spoken for it until now. */
  onSettled(listener: (monitorID: string) => void): void {
    this.#settled.add(listener);
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    for (const monitor of this.#monitors.values()) monitor.close();
  }

  #configure(): void {
    const { house, topics, voice, prefix, offDelayMs } = this.#options;
    const configured = house.monitors();
    for (const monitor of configured) {
      const known = this.#monitors.get(monitor.id);
      if (known) known.configure(monitor);
      else {
        const speaks = voice.speaks(monitor.id);
        this.#monitors.set(monitor.id, new MonitorTopics(topics, prefix, offDelayMs, monitor, speaks));
      }
    }
    for (const [id, monitor] of this.#monitors) {
      if (configured.some((each) => each.id === id)) continue;
      monitor.remove();
      this.#monitors.delete(id);
    }
    for (const listener of this.#listeners) listener();
  }

  #speak(monitorID: string): void {
    const monitor = this.#monitors.get(monitorID);
    const { voice } = this.#options;
    monitor?.speak(voice.speaks(monitorID));
    for (const listener of this.#listeners) listener();
    this.#repeatLater(monitorID);
  }

  /** What another machine has under way for a monitor of this one does not stay. */
  #repeatLater(monitorID: string): void {
    const { voice } = this.#options;
    if (!voice.speaks(monitorID)) return;
    setTimeout(() => {
      if (this.#isClosed || !voice.speaks(monitorID)) return;
      this.#monitors.get(monitorID)?.repeat();
      for (const listener of this.#settled) listener(monitorID);
    }, settleMs).unref();
  }

  /** Reads the last event and snapshot of each monitor from the bus, and clears the topics that then have no content. */
  async #recall(): Promise<void> {
    const { bus, topics } = this.#options;
    for (const [id, monitor] of [...this.#monitors]) {
      const event = await this.#patiently(() => lastStored(bus, 'EVENTS', events, [id, '*']));
      if (event && !this.#isClosed && this.#monitors.get(id) === monitor) monitor.recall(event);
      const object = await this.#patiently(() => lastStored(bus, 'OBJECTS', objects, [id]));
      if (object) await this.#writeSnapshot(id, object.eventID);
    }
    if (this.#isClosed) return;
    topics.clearFormer();
  }

  /** Tries until the bus answers. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T | undefined> {
    while (!this.#isClosed) {
      try {
        return await ask();
      } catch {
        await sleep(retryMs);
      }
    }
    return undefined;
  }

  #follow<Message>(
    stream: StreamName,
    channel: Channel<never, Message>,
    listener: (message: Message) => void,
  ): void {
    let reading: Replay | undefined;
    this.#ends.push(() => reading?.stop());
    const { bus, house } = this.#options;
    const end = this.#patiently(async () => house.since?.[stream] ?? (await streamRange(bus, stream)).last);
    void end.then((last) => {
      if (last === undefined || this.#isClosed) return;
      reading = replay(bus, stream, channel, last + 1, ({ message }) => {
        if (message !== undefined) listener(message);
      });
    });
  }

  async #takeSnapshot({ monitorID, eventID }: DetectedObject): Promise<void> {
    await sleep(snapshotDelayMs);
    await this.#writeSnapshot(monitorID, eventID);
  }

  async #writeSnapshot(monitorID: string, eventID: string): Promise<void> {
    const jpeg = await this.#options.house.snapshot(eventID).catch(() => undefined);
    if (jpeg && !this.#isClosed) this.#monitors.get(monitorID)?.snapshot(jpeg);
  }

  async #writeStorage(): Promise<void> {
    const { house, topics, storageDaysLeft } = this.#options;
    const days = await house.storageDaysLeft().catch(() => null);
    if (this.#isClosed) return;
    // `None` is Home Assistant's word for a value that is not known.
    topics.set(storageDaysLeft, days === null ? 'None' : days.toFixed(1));
  }
}
