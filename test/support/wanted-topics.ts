import type { MonitorConfig } from '../../store/monitors/monitor-config.ts';

/** Labels of the objects that the monitors of a house look for. */
export const labels = ['person', 'car'];

/** A monitor, as far as its topics depend on it. */
export interface KnownMonitor {
  config: MonitorConfig;
  /** Objects in view. */
  open: { id: string; label: string }[];
  /** The last one, as its topic has it. */
  event: string | undefined;
}

/** An item of `GET /api/monitor/states`. */
export interface MonitorAnswer {
  readonly id: string;
  readonly state: string;
  readonly recording: boolean;
}

/** What the retained topics of these monitors must be. `*`: anything. */
export function wantedTopics(
  monitors: ReadonlyMap<string, KnownMonitor>,
  states: readonly MonitorAnswer[],
): Map<string, string> {
  const onOff = (isOn: boolean) => (isOn ? 'ON' : 'OFF');
  const wanted = new Map([['sentryshot/available', 'online']]);
  for (const [id, { config, open, event }] of monitors) {
    const { state = '', recording = false } = states.find((each) => each.id === id) ?? {};
    const isStreaming = state === 'streaming';
    const set = (path: string, value: string) => wanted.set(`sentryshot/monitor/${id}/${path}`, value);
    set('name', config.name);
    const offline = config.enable ? 'offline' : 'disabled';
    set('state', isStreaming ? (recording ? 'recording' : 'streaming') : offline);
    set('streaming', onOff(isStreaming));
    set('recording', onOff(isStreaming && recording));
    set('reason', isStreaming ? 'none' : '*');
    set('record', 'OFF');
    set('motion', 'OFF');
    set('motion/enabled', onOff((config as unknown as { motion: { enable: boolean } }).motion.enable));
    set('tflite', onOff(open.length > 0));
    set('tflite/enabled', 'OFF');
    for (const label of labels) {
      const count = open.filter((each) => each.label === label).length;
      set(`labels/${label}/count`, String(count));
      set(`labels/${label}/present`, onOff(count > 0));
    }
    if (event !== undefined) set('event', event);
  }
  return wanted;
}
