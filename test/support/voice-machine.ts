import { join } from 'node:path';
import { nowUs } from '../../bus/base/time.ts';
import type { DetectionEvent, MonitorStatus } from '../../bus/messages.ts';
import { type MqttOptions, startMqttBridge } from '../../bus/mqtt/mqtt-bridge.ts';
import { SiteVoice, type VoiceSite } from '../../bus/mqtt/voice/site-voice.ts';
import type { HeardMachine } from '../../bus/mqtt/voice/speakers.ts';
import { events, status } from '../../bus/subjects.ts';
import { silentLogger, startTestBus } from './bus.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import type { Broker } from './mosquitto.ts';
import { door, TestHouse } from './test-house.ts';
import { waitFor } from './wait.ts';

/** What a machine hears, as the test says. */
class TestSite implements VoiceSite {
  readonly machine: string;
  readonly #listeners = new Set<(machine: string | undefined) => void>();
  #heard: readonly HeardMachine[] = [];
  #silent: string | undefined;

  constructor(machine: string) {
    this.machine = machine;
    const timer = setInterval(() => this.#tell(), 50);
    atEnd(async () => clearInterval(timer));
  }

  heard = () => this.#heard;

  onHeard(listener: (machine: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The ranks of the machines that are heard to record the door; undefined: it does not.
   *
   * @param silent has sent nothing since, and is still counted among them.
   */
  hears(ranks: Record<string, number | undefined>, silent?: string): void {
    this.#silent = silent;
    this.#heard = Object.entries(ranks).map(([machine, rank]) => ({
      machine,
      attends: rank === undefined ? [] : [{ id: 'door', rank, streaming: true }],
    }));
    this.#tell();
  }

  #tell(): void {
    const isBeating = (name: string) => name !== this.machine && name !== this.#silent;
    const others = this.#heard.map(({ machine }) => machine).filter(isBeating);
    for (const listener of this.#listeners) {
      for (const machine of others) listener(machine);
      listener(undefined);
    }
  }
}

/** A machine's bus, its voice and its bridge to the broker. The end of the test closes it. */
export async function startMachine(name: string, broker: Broker, options: Partial<MqttOptions> = {}) {
  const { bus } = await startTestBus();
  const site = new TestSite(name);
  const house = new TestHouse([door]);
  const voice = new SiteVoice({ site, monitors: () => house.monitors() });
  const recordFile = join(await temporaryFolder(), 'topics.json');
  const bridge = await startMqttBridge(
    bus,
    {
      ...{ host: '127.0.0.1', port: broker.port, clientId: name, installation: 'site', recordFile, voice },
      ...options,
    },
    silentLogger().source('mqtt'),
    house,
  );
  atEnd(() => bridge.close());
  await holds(broker, `sentryshot/machine/${name}/available`, 'online');
  const seen = (id: string) => {
    const event: DetectionEvent = {
      ...{ id, monitorID: 'door', monitorName: id, source: 'motion', time: nowUs() },
      detections: [{ label: 'zone0', score: 50 }],
    };
    return bus.store(events, ['door', 'motion'], event, id);
  };
  const is = (state: MonitorStatus['state']) =>
    bus.publish(status, ['door'], { monitorID: 'door', state, reason: '', recording: false, since: nowUs() });
  return { site, house, bridge, bus, recordFile, seen, is };
}

/** Waits until the broker has retained this on a topic; undefined: nothing. */
export const holds = (broker: Broker, topic: string, payload: string | undefined) =>
  waitFor(async () => (await broker.retained()).get(topic) === payload, 10_000, `${topic} to be ${payload}`);
