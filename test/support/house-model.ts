import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatRfc3339, nowUs } from '../../bus/base/time.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { lastStored } from '../../bus/nats/jetstream.ts';
import { events, objects } from '../../bus/subjects.ts';
import type { MonitorConfig } from '../../store/monitors/monitor-config.ts';
import { type Camera, startCamera, testMounts } from './camera.ts';
import { motion, rtspMonitor, testMonitor, tflite } from './monitors.ts';
import { type Broker, startBroker } from './mosquitto.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { waitFor } from './wait.ts';
import { type KnownMonitor, labels, type MonitorAnswer, wantedTopics } from './wanted-topics.ts';

/** Milliseconds after which every retained topic is right again. */
const deadlineMs = 5000;
/** Never fires by itself, so that the test knows all events. */
const quiet = { ...motion, duration: 1, zones: motion.zones.map((zone) => ({ ...zone, thresholdMin: 100 })) };

/** A recorder with its broker and camera, and what the retained topics must be after each thing that happens to them. */
export class HouseModel {
  readonly #random: () => number;
  readonly #monitors = new Map<string, KnownMonitor>();
  /** The last event of each id that the bus has, also of monitors that are deleted. */
  readonly #stored = new Map<string, string>();
  #recorder: Recorder;
  #broker: Broker;
  #camera: Camera;
  #isCameraUp = true;
  #count = 0;

  private constructor(random: () => number, recorder: Recorder, broker: Broker, camera: Camera) {
    this.#random = random;
    this.#recorder = recorder;
    this.#broker = broker;
    this.#camera = camera;
  }

  static async start(random: () => number): Promise<HouseModel> {
    const broker = await startBroker({ isPersistent: true });
    const camera = await startCamera({ mounts: { main: testMounts.h264(160, 120, 5) } });
    const mqtt = { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port, off_delay: 0.5 };
    const first = rtspMonitor('camera', [camera.url('main')], sections());
    const recorder = await startRecorder({
      config: {
        plugin: [...['auth_basic', 'motion', 'tflite'].map((name) => ({ name, enable: true })), mqtt],
      },
      monitors: [first],
    });
    const model = new HouseModel(random, recorder, broker, camera);
    model.#know(first);
    return model;
  }

  /** Does something at random. @returns what it was. */
  async step(): Promise<string> {
    const steps: readonly (readonly [weight: number, step: () => Promise<string>])[] = [
      [6, () => this.#event()],
      [6, () => this.#object()],
      [3, () => this.#toggleDetector()],
      [2, () => this.#edit((config) => ({ ...config, enable: !config.enable }), 'enable')],
      [3, () => this.#edit((config) => ({ ...config, name: `named ${this.#next()} é` }), 'rename')],
      [2, () => this.#add()],
      [2, () => this.#delete()],
      [3, () => this.#restartBroker()],
      [2, () => this.#withNextHost(() => this.#restartRecorder())],
      [2, () => this.#restartCamera()],
      [2, () => this.#withNextHost(() => this.#killDetectorHost())],
    ];
    let left = this.#random() * steps.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, step] of steps) {
      left -= weight;
      if (left < 0) return step();
    }
    return 'nothing';
  }

  /** Waits until the broker has what the model says. @throws if it does not within five seconds. */
  async check(what: string): Promise<void> {
    let difference: object = {};
    await waitFor(
      async () => {
        difference = await this.#difference();
        return Object.keys(difference).length === 0;
      },
      deadlineMs,
      `the topics after ${what}`,
    ).catch((cause: unknown) => {
      throw new Error(`after ${what} the topics differ: ${JSON.stringify(difference, undefined, 1)}`, {
        cause,
      });
    });
  }

  async #difference(): Promise<
    Record<string, readonly [found: string | undefined, wanted: string | undefined]>
  > {
    const wanted = await this.#wanted();
    const found = await this.#broker.retained();
    const topics = new Set([...wanted.keys(), ...found.keys()]);
    const isRight = (topic: string) => {
      // Others are tested elsewhere.
      if (!topic.startsWith('sentryshot/monitor/') && topic !== 'sentryshot/available') return true;
      const [is, shall] = [found.get(topic), wanted.get(topic)];
      return shall === '*' ? is !== undefined : is === shall;
    };
    return Object.fromEntries(
      [...topics]
        .filter((topic) => !isRight(topic))
        .map((topic) => [topic, [found.get(topic), wanted.get(topic)]]),
    );
  }

  async #wanted(): Promise<Map<string, string>> {
    const states = await this.#recorder.get<MonitorAnswer[]>('/api/monitor/states');
    return wantedTopics(this.#monitors, states);
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }

  #any<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.#random() * list.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }

  #know(config: MonitorConfig, event?: string): void {
    this.#monitors.set(config.id, { config, open: [], event });
  }

  async #onBus(act: (bus: Bus) => Promise<void>): Promise<void> {
    const address = await waitFor(
      () => readBusAddress(join(this.#recorder.folder, 'storage/bus')),
      5000,
      'the bus',
    );
    const bus = await Bus.connect(address, 'test');
    await act(bus);
    await bus.close();
  }

  async #event(): Promise<string> {
    const [id, known] = this.#any([...this.#monitors]);
    const motionTopic = `sentryshot/monitor/${id}/motion`;
    const subscriber = await this.#broker.subscribe(motionTopic);
    const n = this.#next();
    const event = {
      ...{ id: `event${n}`, monitorID: id, monitorName: known.config.name, source: 'motion', time: nowUs() },
      detections: [{ label: 'zone0', score: n % 100 }],
    };
    await this.#onBus((bus) => bus.store(events, [id, 'motion'], event, event.id));
    const { detections, time, ...rest } = event;
    known.event = JSON.stringify({ ...rest, ...detections[0], time: formatRfc3339(time) });
    this.#stored.set(id, known.event);
    await subscriber.message(({ payload, retain }) => payload === 'ON' && !retain, deadlineMs);
    return `an event of ${id}`;
  }

  async #object(): Promise<string> {
    const [id, known] = this.#any([...this.#monitors]);
    const isEnd = known.open.length > 0 && this.#random() < 0.5;
    const object = isEnd ? this.#any(known.open) : { id: `object${this.#next()}`, label: this.#any(labels) };
    known.open = isEnd ? known.open.filter((each) => each !== object) : [...known.open, object];
    const start = nowUs();
    const message = {
      ...{ id: object.id, monitorID: id, label: object.label, start, end: isEnd ? start : null },
      ...{ score: 50, eventID: 'none' },
    };
    await this.#onBus((bus) => bus.store(objects, [id], message, `${object.id}${isEnd}`));
    return `a ${object.label} ${isEnd ? 'gone from' : 'before'} ${id}`;
  }

  async #toggleDetector(): Promise<string> {
    const [id, known] = this.#any([...this.#monitors]);
    const config = known.config as MonitorConfig & { motion: { enable: boolean } };
    const enable = !config.motion.enable;
    await this.#recorder.change('PATCH', `/api/monitor/${id}/motion/${enable ? 'enable' : 'disable'}`);
    known.config = Object.assign({ ...config }, { motion: { ...config.motion, enable } });
    return `motion of ${id} ${enable}`;
  }

  async #edit(edit: (config: MonitorConfig) => MonitorConfig, what: string): Promise<string> {
    const [id, known] = this.#any([...this.#monitors]);
    known.config = edit(known.config);
    await this.#recorder.change('PUT', '/api/monitor', known.config);
    return `${what} ${id}`;
  }

  async #add(): Promise<string> {
    if (this.#monitors.size >= 4) return 'nothing';
    const config = this.#newMonitor();
    await this.#recorder.change('PUT', '/api/monitor', config);
    this.#know(config);
    return `adding ${config.id}`;
  }

  /** Most are disabled, because the machine is small. */
  #newMonitor(): MonitorConfig {
    const id = this.#any(['two', 'three', 'four', 'five'].filter((each) => !this.#monitors.has(each)));
    return testMonitor(id, { ...sections(), name: `${id} ${this.#next()}`, enable: this.#random() < 0.2 });
  }

  async #delete(): Promise<string> {
    const id = this.#any([...this.#monitors.keys()]);
    if (this.#monitors.size === 1) return 'nothing';
    await this.#recorder.change('DELETE', `/api/monitor?id=${id}`);
    this.#monitors.delete(id);
    return `deleting ${id}`;
  }

  async #restartBroker(): Promise<string> {
    await this.#broker.kill();
    const meanwhile = await this.#meanwhile();
    this.#broker = await this.#broker.restart();
    // It has its topics from the disk, so that they do not show this.
    await this.#connected();
    return `a restart of the broker, and ${meanwhile}`;
  }

  /** While the broker is down. */
  #meanwhile(): Promise<string> {
    const choice = this.#random();
    if (choice < 0.25) return this.#delete();
    if (choice < 0.5) return this.#add();
    if (choice < 0.75) return this.#object();
    return Promise.resolve('nothing');
  }

  async #connected(): Promise<void> {
    const mqtt = () => this.#recorder.get<{ isConnected?: boolean }>('/api/mqtt');
    await waitFor(async () => (await mqtt()).isConnected, deadlineMs, 'the connection to the broker');
  }

  /** The next detector host ends what is open when it begins. Waits for that: the objects of this model are not its own. */
  async #withNextHost<T>(act: () => Promise<T>): Promise<T> {
    const id = `object${this.#next()}`;
    const common = { monitorID: 'nobody', label: 'car', score: 50, eventID: 'none' };
    const open = { ...common, id, start: nowUs(), end: null };
    await this.#onBus((bus) => bus.store(objects, ['nobody'], open, id));
    const result = await act();
    await this.#onBus(async (bus) => {
      const last = () => lastStored(bus, 'OBJECTS', objects, ['nobody']);
      await waitFor(async () => (await last())?.end, 20_000, 'the next detector host');
    });
    return result;
  }

  async #restartRecorder(): Promise<string> {
    const isKilled = this.#random() < 0.5;
    await (isKilled ? this.#recorder.kill() : this.#recorder.stop());
    // Killed, its will says so; a broker may take a moment.
    await waitFor(
      async () => (await this.#broker.retained()).get('sentryshot/available') === 'offline',
      deadlineMs,
      'the will',
    );
    const folder = join(this.#recorder.folder, 'configs/monitors');
    const [id, known] = this.#any([...this.#monitors]);
    const choice = this.#random();
    if (choice < 0.3 && this.#monitors.size > 1) {
      await rm(join(folder, `${id}.json`));
      this.#monitors.delete(id);
    } else if (choice < 0.6) {
      known.config = { ...known.config, name: `renamed ${this.#next()}` };
      const stored = JSON.parse(await readFile(join(folder, `${id}.json`), 'utf8')) as object;
      await writeFile(join(folder, `${id}.json`), JSON.stringify({ ...stored, name: known.config.name }));
    }
    this.#recorder = await this.#recorder.restart();
    for (const [each, monitor] of this.#monitors) {
      monitor.open = [];
      monitor.event = this.#stored.get(each);
    }
    return `a ${isKilled ? 'kill' : 'restart'} of the recorder`;
  }

  /** The next one ends the objects that this one followed. */
  async #killDetectorHost(): Promise<string> {
    const running = () => this.#recorder.children(/detector-host-process/)[0];
    process.kill(await waitFor(running, 15_000, 'the detector host'), 'SIGKILL');
    for (const monitor of this.#monitors.values()) monitor.open = [];
    return 'a kill of the detector host';
  }

  async #restartCamera(): Promise<string> {
    if (this.#isCameraUp) await this.#camera.kill();
    else this.#camera = await this.#camera.restart();
    this.#isCameraUp = !this.#isCameraUp;
    return `the camera ${this.#isCameraUp ? 'back' : 'gone'}`;
  }
}

const sections = () => ({ motion: quiet, tflite: { ...tflite, enable: false } });
