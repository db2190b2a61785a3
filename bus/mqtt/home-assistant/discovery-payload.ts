import { type HouseMonitor, topicLevel } from '../topics/house-monitor.ts';
import type { RecorderTopics } from '../topics/recorder-topics.ts';

/** A component of a device, in the words of Home Assistant's MQTT discovery. */
export interface DiscoveryComponent {
  readonly platform: 'binary_sensor' | 'sensor' | 'switch' | 'image';
  readonly [key: string]: unknown;
}

export interface DiscoveryPayload {
  readonly device: Readonly<Record<string, unknown>>;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, DiscoveryComponent>>;
  readonly qos: number;
}

export interface DiscoveryNames {
  /** Identifies the installation: stable, and other than that of every other recorder or cluster. */
  readonly installation: string;
  /** Identifies the recorder: the same, or that of one of several machines. */
  readonly recorder: string;
  /** For people: `Sentrybus`. */
  readonly recorderName: string;
  readonly prefix: string;
  readonly recorderTopics: RecorderTopics;
  /** Whether commands are accepted. */
  readonly hasCommands: boolean;
}

const origin = { name: 'Sentrybus' };

/** The device of a monitor. Its ids are made of the monitor's id, so that they survive a new name. */
export function monitorDevice(
  { installation, recorder, prefix, recorderTopics, hasCommands }: DiscoveryNames,
  monitor: HouseMonitor,
): DiscoveryPayload {
  const node = `${installation}_${monitor.id}`;
  const topic = (path: string) => `${prefix}/monitor/${monitor.id}/${path}`;
  const available = { topic: recorderTopics.available };
  const isThere = { availability: [available] };
  /** What is known only while the camera is seen. */
  const isSeen = {
    availability: [
      available,
      { topic: topic('streaming'), payload_available: 'ON', payload_not_available: 'OFF' },
    ],
    availability_mode: 'all',
  };
  const components: Record<string, DiscoveryComponent> = {};
  const add = (key: string, component: DiscoveryComponent) => {
    components[key] = { ...component, unique_id: `${node}_${key}` };
  };
  for (const { name, title } of monitor.detectors) {
    const isMotion = name === 'motion';
    add(name, {
      ...{ platform: 'binary_sensor', name: isMotion ? 'Motion' : title, ...isSeen },
      ...{ state_topic: topic(name), device_class: isMotion ? 'motion' : 'occupancy' },
    });
    if (!hasCommands) continue;
    add(`${name}_enabled`, {
      ...{ platform: 'switch', name: `${title} enabled`, ...isThere, entity_category: 'config' },
      ...{ state_topic: topic(`${name}/enabled`), command_topic: topic(`${name}/set`) },
    });
  }
  for (const label of monitor.labels) {
    const level = topicLevel(label);
    add(`present_${level}`, {
      ...{ platform: 'binary_sensor', name: capital(label), ...isSeen },
      ...{ state_topic: topic(`labels/${level}/present`), device_class: 'occupancy' },
    });
    add(`count_${level}`, {
      ...{ platform: 'sensor', name: `${capital(label)} count`, ...isSeen },
      ...{ state_topic: topic(`labels/${level}/count`), state_class: 'measurement' },
    });
  }
  add('snapshot', {
    ...{ platform: 'image', name: 'Snapshot', ...isThere },
    ...{ image_topic: topic('snapshot'), content_type: 'image/jpeg' },
  });
  add('event', {
    ...{ platform: 'sensor', name: 'Last event', ...isThere, state_topic: topic('event') },
    ...{ value_template: '{{ value_json.label }}', json_attributes_topic: topic('event') },
  });
  add('event_time', {
    ...{ platform: 'sensor', name: 'Last event time', ...isThere, state_topic: topic('event') },
    // Home Assistant's times have microseconds.
    ...{ value_template: "{{ value_json.time | replace('000Z', 'Z') }}", device_class: 'timestamp' },
  });
  if (hasCommands) {
    add('record', {
      ...{ platform: 'switch', name: 'Record', ...isSeen },
      ...{ state_topic: topic('record'), command_topic: topic('record/set') },
    });
  }
  const diagnostic = { ...isThere, entity_category: 'diagnostic' };
  add('streaming', {
    ...{ platform: 'binary_sensor', name: 'Camera', ...diagnostic },
    ...{ state_topic: topic('streaming'), device_class: 'connectivity' },
  });
  add('recording', {
    ...{ platform: 'binary_sensor', name: 'Recording', ...diagnostic },
    ...{ state_topic: topic('recording'), device_class: 'running' },
  });
  add('state', {
    ...{ platform: 'sensor', name: 'State', ...diagnostic, state_topic: topic('state') },
    ...{ device_class: 'enum', options: ['recording', 'streaming', 'offline', 'disabled'] },
  });
  add('reason', {
    ...{ platform: 'sensor', name: 'Reason', ...diagnostic, state_topic: topic('reason') },
    // The longest state that Home Assistant takes.
    value_template: "{{ value | truncate(255, True, '', 0) }}",
  });
  return {
    device: {
      ...{ identifiers: [node], name: monitor.name, manufacturer: 'Sentrybus', model: 'Monitor' },
      via_device: recorder,
    },
    ...{ origin, components, qos: 1 },
  };
}

/** The device of the recorder itself. */
export function recorderDevice({ recorder, recorderName, recorderTopics }: DiscoveryNames): DiscoveryPayload {
  const { available, storageDaysLeft } = recorderTopics;
  return {
    device: {
      ...{ identifiers: [recorder], name: recorderName, manufacturer: 'Sentrybus', model: 'Recorder' },
    },
    origin,
    components: {
      storage_days_left: {
        ...{ platform: 'sensor', name: 'Storage days left', unique_id: `${recorder}_storage_days_left` },
        ...{ state_topic: storageDaysLeft, availability: [{ topic: available }] },
        ...{ device_class: 'duration', unit_of_measurement: 'd', state_class: 'measurement' },
        entity_category: 'diagnostic',
      },
      available: {
        ...{ platform: 'binary_sensor', name: 'Recorder', unique_id: `${recorder}_available` },
        ...{ state_topic: available, payload_on: 'online', payload_off: 'offline' },
        ...{ device_class: 'connectivity', entity_category: 'diagnostic' },
      },
    },
    qos: 1,
  };
}

const capital = (label: string) => label.charAt(0).toUpperCase() + label.slice(1);
