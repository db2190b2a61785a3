import { nowUs } from '../../base/time.ts';
import type { Log } from '../../log.ts';
import type { DetectedObject, DetectionEvent } from '../../messages.ts';
import type { Publication } from '../broker/broker-session.ts';
import { topicLevel } from '../topics/house-monitor.ts';
import type { HouseTopics } from '../topics/house-topics.ts';
import type { RetainedTopics } from '../topics/retained-topics.ts';
import type { Voice } from '../topics/voice.ts';

interface FrigateTopicsOptions {
  readonly houseTopics: HouseTopics;
  readonly topics: RetainedTopics;
  readonly voice: Voice;
  readonly publish: (publication: Publication) => Promise<unknown>;
  readonly log: Log;
}

/** An object as Frigate describes one, as far as it is known here. */
interface FrigateObject {
  readonly id: string;
  readonly camera: string;
  readonly label: string;
  readonly sub_label: null;
  /** Seconds since 1970, as all times. */
  readonly frame_time: number;
  readonly start_time: number;
  readonly end_time: number | null;
  /** 0 to 1. */
  readonly score: number;
  readonly top_score: number;
  readonly false_positive: boolean;
  readonly current_zones: readonly string[];
  readonly entered_zones: readonly string[];
  readonly has_clip: boolean;
  readonly has_snapshot: boolean;
}

/** Frigate's own rule for the name of a camera. */
const cameraName = /^[A-Za-z0-9_-]+$/;
const maxUnderWay = 500;
const maxOpen = 1000;

/**
 * Frigate's topics, so that automations for it go on: `frigate/events` (`new`, `update`, `end`) and `frigate/<camera>/<label>`
 * with the number of such objects in view. A camera has its monitor's name where Frigate would take it
 * for one, and the monitor's id otherwise.
 */
export class FrigateTopics {
  readonly #options: FrigateTopicsOptions;
  /** Objects in view, as last published. */
  readonly #open = new Map<string, FrigateObject>();
  /** The topics with numbers, and the monitors that they are of. */
  #counts = new Map<string, string>();
  #underWay = 0;
  /** Events that were left out because too many waited. */
  #dropped = 0;

  constructor(options: FrigateTopicsOptions) {
    this.#options = options;
    options.houseTopics.onChange(() => this.#writeCounts());
    options.houseTopics.onSettled((id) => this.#repeatCounts(id));
    options.houseTopics.onObject((object) => {
      this.#publishEvent(object);
      this.#writeCounts();
    });
    options.houseTopics.onEvent((event) => this.#publishUpdates(event));
    this.#writeCounts();
  }

  #publishEvent(object: DetectedObject): void {
    const before = this.#open.get(object.id);
    if (object.end !== null) this.#open.delete(object.id);
    const { houseTopics, voice } = this.#options;
    if (!houseTopics.get(object.monitorID) || !voice.speaks(object.monitorID)) return;
    const after = describe(object, this.#cameraOf(object.monitorID));
    if (object.end === null && this.#open.size < maxOpen) this.#open.set(object.id, after);
    this.#publish(object.end === null ? 'new' : 'end', before ?? after, after);
  }

  #publishUpdates({ monitorID, detections, time }: DetectionEvent): void {
    if (!this.#options.voice.speaks(monitorID)) return;
    for (const { object = '', score } of detections) {
      const before = this.#open.get(object);
      if (!before) continue;
      const topScore = Math.max(before.top_score, score / 100);
      const after = { ...before, frame_time: time / 1e6, score: score / 100, top_score: topScore };
      this.#open.set(object, after);
      this.#publish('update', before, after);
    }
  }

  #publish(type: 'new' | 'update' | 'end', before: FrigateObject, after: FrigateObject): void {
    const { publish } = this.#options;
    if (this.#underWay >= maxUnderWay) {
      this.#dropped += 1;
      return;
    }
    this.#underWay += 1;
    const payload = JSON.stringify({ type, before, after });
    void publish({ topic: 'frigate/events', payload, isRetained: false }).then(() => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#logDropped();
    });
  }

  #logDropped(): void {
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#options.log.warning(
      `${count} messages on frigate/events were left out, because ${maxUnderWay} waited for the broker`,
    );
  }

  #writeCounts(): void {
    const { houseTopics, topics, voice } = this.#options;
    const counts = new Map<string, string>();
    for (const monitor of houseTopics.list()) {
      const { id } = monitor.monitor;
      if (!voice.speaks(id)) continue;
      for (const label of monitor.labels) {
        const topic = `frigate/${this.#cameraOf(id)}/${topicLevel(label)}`;
        counts.set(topic, id);
        topics.set(topic, String(monitor.count(label)));
      }
    }
    for (const [topic, id] of this.#counts) {
      if (counts.has(topic)) continue;
      if (houseTopics.get(id) && !voice.speaks(id)) topics.leave(topic);
      else topics.clear(topic);
    }
    this.#counts = counts;
  }

  #repeatCounts(monitorID: string): void {
    for (const [topic, id] of this.#counts) if (id === monitorID) this.#options.topics.repeat(topic);
  }

  #cameraOf(monitorID: string): string {
    const monitors = this.#options.houseTopics.list().map(({ monitor }) => monitor);
    const name = monitors.find(({ id }) => id === monitorID)?.name ?? monitorID;
    const isUnique = monitors.filter((each) => each.name === name || each.id === name).length === 1;
    return isUnique && cameraName.test(name) && !reserved.includes(name) ? name : monitorID;
  }
}

/** Second levels of Frigate's other topics. */
const reserved = ['available', 'events', 'reviews', 'stats', 'restart', 'notifications'];

function describe({ id, label, start, end, score }: DetectedObject, camera: string): FrigateObject {
  const seconds = (timeUs: number) => timeUs / 1e6;
  return {
    ...{ id, camera, label, sub_label: null },
    frame_time: seconds(end ?? nowUs()),
    start_time: seconds(start),
    end_time: end === null ? null : seconds(end),
    ...{ score: score / 100, top_score: score / 100, false_positive: false },
    ...{ current_zones: [], entered_zones: [], has_clip: true, has_snapshot: true },
  };
}
