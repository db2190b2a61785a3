import type { Bus } from '../../bus/nats/bus.ts';
import type { RecordedStream } from '../../bus/recording-id.ts';
import type { MonitorConfig } from '../../store/monitors/monitor-config.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';
import { closeCodes, type WebSocketConnection } from '../request/websocket-connection.ts';
import type { MonitorStates } from '../state/monitor-states.ts';
import { liveMessage } from './live-messages.ts';
import { LiveViewer } from './live-viewer.ts';
import { zonesOf } from './live-zones.ts';
import { WatchedStream } from './watched-stream.ts';

export interface LiveFeedOptions {
  readonly bus: Bus;
  readonly monitors: Pick<Monitors, 'get' | 'detectors'>;
  readonly states: MonitorStates;
}

export const maxViewersOfMonitor = 100;
/** How soon a monitor that was changed or deleted is noticed. */
const checkMs = 1000;
/** Leaves some of the WebSockets to the log. */
export const maxViewers = 400;

interface Watched {
  readonly monitorID: string;
  readonly name: RecordedStream;
  readonly stream: WatchedStream;
  /** The last messages about the monitor. */
  state: Buffer;
  zones: Buffer;
  /** What they were made of. */
  config: MonitorConfig | undefined;
}

/** Shows monitors to all their viewers: each stream that is watched comes over the bus once. */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #forgetStates: () => void;
  /** Runs while somebody watches. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#forgetStates = options.states.onChange((monitorID) => this.#update(monitorID));
  }

  /** The monitor exists. @param asked the main stream is shown where there is no other */
  connect(
    connection: WebSocketConnection,
    { monitorID, asked, listens }: { monitorID: string; asked: RecordedStream; listens: boolean },
  ): void {
    const all = [...this.#watched.values()];
    const count = (some: readonly Watched[]) =>
      some.reduce((sum, { stream }) => sum + stream.viewers.size, 0);
    if (count(all.filter((one) => one.monitorID === monitorID)) >= maxViewersOfMonitor) {
      connection.close(closeCodes.tooMany, `${maxViewersOfMonitor} others watch this monitor`);
      return;
    }
    if (count(all) >= maxViewers) {
      connection.close(closeCodes.tooMany, `${maxViewers} others watch`);
      return;
    }
    const config = this.#options.monitors.get(monitorID);
    const name = config && !streamsOf(config).includes(asked) ? 'main' : asked;
    const watched = this.#watch(monitorID, name);
    const viewer = new LiveViewer(connection, listens);
    viewer.send(watched.state);
    viewer.send(watched.zones);
    watched.stream.add(viewer);
    connection.onClose(() => {
      watched.stream.delete(viewer);
      if (watched.stream.viewers.size > 0) return;
      watched.stream.close();
      this.#watched.delete(keyOf(watched));
      if (this.#watched.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
  }

  close(): void {
    this.#forgetStates();
    clearInterval(this.#timer);
    for (const { stream } of this.#watched.values()) stream.close();
  }

  #watch(monitorID: string, name: RecordedStream): Watched {
    const known = this.#watched.get(keyOf({ monitorID, name }));
    if (known) return known;
    const stream = new WatchedStream({ bus: this.#options.bus, monitorID, stream: name });
    const watched = {
      ...{ monitorID, name, stream, config: this.#options.monitors.get(monitorID) },
      ...{ state: this.#stateOf(monitorID, name), zones: this.#zonesOf(monitorID) },
    };
    this.#watched.set(keyOf(watched), watched);
    this.#timer ??= setInterval(() => this.#checkConfigs(), checkMs).unref();
    return watched;
  }

  #update(monitorID: string): void {
    for (const watched of this.#watched.values()) {
      if (watched.monitorID !== monitorID) continue;
      const { stream, name } = watched;
      const { state } = this.#options.states.current(monitorID) ?? {};
      if (state === 'streaming') stream.ask();
      else stream.reset();
      watched.state = this.#stateOf(monitorID, name);
      for (const viewer of stream.viewers) viewer.send(watched.state);
    }
  }

  #checkConfigs(): void {
    for (const watched of this.#watched.values()) {
      const { monitorID, stream, name } = watched;
      const config = this.#options.monitors.get(monitorID);
      if (config === watched.config) continue;
      watched.config = config;
      if (!config) closeAll(stream, closeCodes.deleted, 'the monitor was deleted');
      else if (!streamsOf(config).includes(name))
        closeAll(stream, closeCodes.goingAway, 'the monitor has no sub stream any more');
      else {
        watched.state = this.#stateOf(monitorID, name);
        watched.zones = this.#zonesOf(monitorID);
        for (const viewer of stream.viewers) {
          viewer.send(watched.state);
          viewer.send(watched.zones);
        }
      }
    }
  }

  #zonesOf(monitorID: string): Buffer {
    const { monitors } = this.#options;
    const config = monitors.get(monitorID);
    const detectors = monitors.detectors.map(({ name }) => name);
    return liveMessage({ type: 'zones', zones: config ? zonesOf(config, detectors) : [] });
  }

  #stateOf(monitorID: string, stream: RecordedStream): Buffer {
    const { monitors, states } = this.#options;
    const config = monitors.get(monitorID);
    // A monitor that has just been made.
    const unknown = { state: 'connecting', reason: '', recording: false, since: 0 } as const;
    const { state, reason, recording, since } = states.current(monitorID) ?? unknown;
    const streams = config ? streamsOf(config) : [stream];
    return liveMessage({ type: 'state', state, reason, recording, since, stream, streams });
  }
}

const keyOf = ({ monitorID, name }: Pick<Watched, 'monitorID' | 'name'>) => `${monitorID} ${name}`;

function streamsOf({ source, sourcertsp }: MonitorConfig): RecordedStream[] {
  return source === 'rtsp' && sourcertsp?.subStream ? ['main', 'sub'] : ['main'];
}

function closeAll(stream: WatchedStream, code: 1001 | 4404, reason: string): void {
  for (const viewer of stream.viewers) viewer.close(code, reason);
}
