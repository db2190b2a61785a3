import type { HouseTopics } from '../topics/house-topics.ts';
import type { RetainedTopics } from '../topics/retained-topics.ts';
import type { TopicRecord } from '../topics/topic-record.ts';
import type { Voice } from '../topics/voice.ts';
import {
  type DiscoveryNames,
  type DiscoveryPayload,
  monitorDevice,
  recorderDevice,
} from './discovery-payload.ts';

interface HomeAssistantOptions extends DiscoveryNames {
  /** `homeassistant`, unless it was changed there. */
  readonly discoveryPrefix: string;
  readonly houseTopics: HouseTopics;
  readonly topics: RetainedTopics;
  readonly record: TopicRecord;
  readonly voice: Voice;
}

export const deviceTopic = (discoveryPrefix: string, device: string): string =>
  `${discoveryPrefix}/device/${device}/config`;

/** Announces the recorder and its monitors to Home Assistant: one device each, in one retained message. */
export class HomeAssistant {
  readonly #options: HomeAssistantOptions;
  readonly #devices = new Set<string>();

  constructor(options: HomeAssistantOptions) {
    this.#options = options;
    options.houseTopics.onChange(() => this.#announce());
    options.houseTopics.onSettled((id) => options.topics.repeat(this.#topic(id)));
    this.#announce();
  }

  /** Home Assistant publishes here that it has started. Its setting for this topic does not follow its discovery prefix. */
  static birthTopics(discoveryPrefix: string): string[] {
    return [...new Set([`${discoveryPrefix}/status`, 'homeassistant/status'])];
  }

  message(topic: string, payload: Buffer): void {
    const { discoveryPrefix, topics } = this.#options;
    const isBirth = HomeAssistant.birthTopics(discoveryPrefix).includes(topic);
    if (!isBirth || payload.toString() !== 'online') return;
    for (const device of this.#devices) topics.repeat(device);
  }

  #announce(): void {
    const { houseTopics, topics, voice } = this.#options;
    const devices = new Map([[this.#topic(), recorderDevice(this.#options)]]);
    const monitors = houseTopics.list().map(({ monitor }) => monitor);
    for (const monitor of monitors.filter(({ id }) => voice.speaks(id))) {
      devices.set(this.#topic(monitor.id), monitorDevice(this.#options, monitor));
    }
    const isLeft = (topic: string) => monitors.some(({ id }) => this.#topic(id) === topic);
    for (const [topic, payload] of devices) {
      this.#devices.add(topic);
      topics.set(topic, JSON.stringify(this.#withRemoved(topic, payload)));
    }
    for (const topic of this.#devices) {
      if (devices.has(topic)) continue;
      this.#devices.delete(topic);
      if (isLeft(topic)) topics.leave(topic);
      else topics.clear(topic);
    }
  }

  /** A component that was announced earlier is removed by naming its platform alone. */
  #withRemoved(topic: string, payload: DiscoveryPayload): object {
    const { record } = this.#options;
    const earlier = record.components(topic);
    const platforms = Object.fromEntries(
      Object.entries(payload.components).map(([key, { platform }]) => [key, platform]),
    );
    record.setComponents(topic, { ...earlier, ...platforms });
    const removed = Object.entries(earlier).filter(([key]) => platforms[key] === undefined);
    const removals = Object.fromEntries(removed.map(([key, platform]) => [key, { platform }]));
    return { ...payload, components: { ...payload.components, ...removals } };
  }

  #topic(monitorID?: string): string {
    const { discoveryPrefix, installation, recorder } = this.#options;
    return deviceTopic(discoveryPrefix, monitorID === undefined ? recorder : `${installation}_${monitorID}`);
  }
}
