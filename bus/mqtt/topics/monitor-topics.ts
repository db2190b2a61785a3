import { formatRfc3339 } from '../../base/time.ts';
import type { DetectedObject, DetectionEvent, MonitorStatus } from '../../messages.ts';
import { type HouseMonitor, topicLevel } from './house-monitor.ts';
import type { Payload, RetainedTopics } from './retained-topics.ts';

const onOff = (isOn: boolean) => (isOn ? 'ON' : 'OFF');
/** Objects of a monitor that are remembered; more are not in one picture. */
const maxObjects = 1000;

/** Paths of topics that keep what the machine before this one has published. */
const ofTheSpeaker = ['event', 'snapshot'];

/** The retained topics of one monitor, below `<prefix>/monitor/<id>`. */
export class MonitorTopics {
  readonly #topics: RetainedTopics;
  readonly #root: string;
  readonly #offDelayMs: number;
  #monitor: HouseMonitor;
  #status: MonitorStatus | undefined;
  /** The objects in view: their labels by id. */
  readonly #objects = new Map<string, string>();
  /** Detectors that have seen something, until they have seen nothing for a while. */
  readonly #seen = new Map<string, NodeJS.Timeout>();
  /** What the topics hold, or would if this machine spoke for the monitor, by their paths. */
  readonly #contents = new Map<string, Payload>();
  #isSpeaking: boolean;

  /** @param isSpeaking whether this machine publishes them. */
  constructor(
    topics: RetainedTopics,
    prefix: string,
    offDelayMs: number,
    monitor: HouseMonitor,
    isSpeaking: boolean,
  ) {
    this.#topics = topics;
    this.#root = `${prefix}/monitor/${monitor.id}`;
    this.#offDelayMs = offDelayMs;
    this.#monitor = monitor;
    this.#isSpeaking = isSpeaking;
    this.configure(monitor);
  }

  get monitor(): HouseMonitor {
    return this.#monitor;
  }

  /** The labels that have topics. */
  get labels(): readonly string[] {
    return [...new Set([...this.#monitor.labels, ...this.#objects.values()])];
  }

  /** How many objects of this label are in view. */
  count(label: string): number {
    return [...this.#objects.values()].filter((each) => topicLevel(each) === topicLevel(label)).length;
  }

  configure(monitor: HouseMonitor): void {
    this.#monitor = monitor;
    this.#set('name', monitor.name);
    for (const { name, isEnabled } of monitor.detectors) {
      this.#set(`${name}/enabled`, onOff(isEnabled));
      this.#writeDetector(name);
    }
    for (const label of this.labels) this.#writeLabel(label);
    this.#writeStatus();
    const labels = new Set(this.labels.map(topicLevel));
    for (const path of [...this.#contents.keys()]) {
      const [, label] = /^labels\/([^/]+)\//.exec(path) ?? [];
      if (label !== undefined && !labels.has(label)) this.#clear(path);
    }
  }

  status(status: MonitorStatus): void {
    this.#status = status;
    this.#writeStatus();
  }

  event(event: DetectionEvent): void {
    const { source, detections } = event;
    this.lastEvent(event);
    // Objects say themselves when they are gone.
    if (detections.some(({ object }) => object !== undefined)) return;
    clearTimeout(this.#seen.get(source));
    const isOver = () => {
      this.#seen.delete(source);
      this.#writeDetector(source);
    };
    this.#seen.set(source, setTimeout(isOver, this.#offDelayMs));
    this.#writeDetector(source);
  }

  /** An event from before this start. */
  recall(event: DetectionEvent): void {
    if (!this.#contents.has('event')) this.lastEvent(event);
  }

  /** Nothing while another machine speaks, which may have seen later ones. */
  lastEvent({ id, monitorID, monitorName, source, detections, time }: DetectionEvent): void {
    if (!this.#isSpeaking) return;
    const [best] = [...detections].sort((a, b) => b.score - a.score);
    if (!best) return;
    const { label, score } = best;
    const last = { id, monitorID, monitorName, source, label, score, time: formatRfc3339(time) };
    this.#set('event', JSON.stringify(last));
  }

  object({ id, label, end }: DetectedObject): void {
    if (end !== null) this.#objects.delete(id);
    else if (this.#objects.size < maxObjects) this.#objects.set(id, label);
    this.#writeLabel(label);
    for (const { name } of this.#monitor.detectors) this.#writeDetector(name);
  }

  snapshot(jpeg: Uint8Array): void {
    if (this.#isSpeaking) this.#set('snapshot', jpeg);
  }

  manualRecording(isOn: boolean): void {
    this.#set('record', onOff(isOn));
  }

  /** Its topics stay as they are. */
  close(): void {
    for (const timer of this.#seen.values()) clearTimeout(timer);
    this.#seen.clear();
  }

  /** The monitor is deleted. */
  remove(): void {
    this.close();
    for (const path of new Set([...this.#contents.keys(), ...ofTheSpeaker])) this.#clear(path);
  }

  /** This machine begins or ends to publish the topics. */
  speak(isSpeaking: boolean): void {
    this.#isSpeaking = isSpeaking;
    for (const [path, content] of [...this.#contents]) {
      if (isSpeaking) this.#topics.set(this.#topic(path), content);
      else this.#topics.leave(this.#topic(path));
    }
    if (isSpeaking) return;
    for (const path of ofTheSpeaker) this.#contents.delete(path);
  }

  /** Publishes all again: what the machine before this one had under way may have come after it. */
  repeat(): void {
    if (!this.#isSpeaking) return;
    for (const path of this.#contents.keys()) this.#topics.repeat(this.#topic(path));
  }

  #writeStatus(): void {
    const { state, recording, reason } = this.#status ?? { state: 'stopped', recording: false, reason: '' };
    const isStreaming = state === 'streaming';
    const online = recording ? 'recording' : 'streaming';
    this.#set('state', isStreaming ? online : this.#monitor.isEnabled ? 'offline' : 'disabled');
    this.#set('streaming', onOff(isStreaming));
    this.#set('recording', onOff(isStreaming && recording));
    // An empty payload would clear the topic.
    this.#set('reason', reason === '' ? 'none' : reason);
    if (!this.#contents.has('record')) this.manualRecording(false);
  }

  #writeDetector(name: string): void {
    const finds = this.#seen.has(name) || (name === 'tflite' && this.#objects.size > 0);
    this.#set(name, onOff(finds));
  }

  #writeLabel(label: string): void {
    const count = this.count(label);
    this.#set(`labels/${topicLevel(label)}/present`, onOff(count > 0));
    this.#set(`labels/${topicLevel(label)}/count`, String(count));
  }

  #set(path: string, content: Payload): void {
    this.#contents.set(path, content);
    if (this.#isSpeaking) this.#topics.set(this.#topic(path), content);
  }

  #clear(path: string): void {
    this.#contents.delete(path);
    if (this.#isSpeaking) this.#topics.clear(this.#topic(path));
  }

  #topic = (path: string) => `${this.#root}/${path}`;
}
