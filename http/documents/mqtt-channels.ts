import { type TSchema, Type } from 'typebox';
import { MqttEvent } from '../../bus/messages.ts';

/** Messages on topics that belong together. */
interface MqttChannel {
  readonly name: string;
  readonly address: string;
  readonly summary: string;
  /** From the view of the recorder. */
  readonly action: 'send' | 'receive';
  /** Parts of the address: their description, and their values if they are few. */
  readonly parameters?: Readonly<
    Record<string, { readonly description: string; readonly enum?: readonly string[] }>
  >;
  /** A text: the content type of a payload that is not JSON. */
  readonly payload: TSchema | string;
  readonly example?: unknown;
}

const retained = 'QoS 1, retained.';
const id = { description: 'The id of the monitor.' };
const machine = { description: 'The name of the machine in `[cluster]`.' };
const OnOff = Type.Enum(['ON', 'OFF']);
const Digits = Type.String({ pattern: '^[0-9]+$' });
const last = {
  ...{ id: 'nQ8xT2cWm5Lk0VbYp7Rs3e', monitorID: 'door', monitorName: 'Front door', source: 'tflite' },
  ...{ label: 'person', score: 61.5, time: '2024-11-20T14:23:15.437494000Z' },
};

/** @param detectors names of all detectors. */
function channels(detectors: readonly string[]): readonly MqttChannel[] {
  const detector = { description: 'The detector.', enum: detectors };
  const label = { description: 'The label of the object, with `_` for what is no letter, digit or `-`.' };
  return [
    {
      ...{ name: 'events', address: 'sentryshot/events/{source}', action: 'send', payload: MqttEvent },
      summary: 'One message for each detection. QoS 1, not retained.',
      parameters: { source: detector },
      example: {
        ...{ monitorID: 'one', monitorName: 'camera_1', label: 'zone0', score: 48.39815 },
        ...{ time: '2024-11-20T14:23:15.437494909Z', source: 'motion' },
      },
    },
    {
      ...{ name: 'available', address: 'sentryshot/available', action: 'send' },
      summary: `Whether the recorder is there; \`offline\` is its last will. ${retained}`,
      payload: Type.Enum(['online', 'offline']),
    },
    {
      ...{ name: 'storageDaysLeft', address: 'sentryshot/recorder/storage_days_left', action: 'send' },
      summary: `Days until the oldest recordings are deleted, or \`None\`. ${retained}`,
      payload: Type.String({ pattern: '^([0-9]+\\.[0-9]|None)$' }),
    },
    {
      ...{ name: 'machineAvailable', address: 'sentryshot/machine/{machine}/available', action: 'send' },
      summary: `Of several machines that are one system, in place of \`sentryshot/available\`: whether this one is there. ${retained}`,
      parameters: { machine },
      payload: Type.Enum(['online', 'offline']),
    },
    {
      ...{ name: 'machineAlive', address: 'sentryshot/machine/{machine}/alive', action: 'send' },
      summary:
        'Of several machines, for each other: one that has connected asks, and the others answer. QoS 1, not retained.',
      parameters: { machine },
      payload: Type.Enum(['ask', 'answer']),
    },
    {
      ...{
        name: 'machineStorageDaysLeft',
        address: 'sentryshot/machine/{machine}/storage_days_left',
        action: 'send',
      },
      summary: `Of several machines, in place of \`sentryshot/recorder/storage_days_left\`: the same of this one. ${retained}`,
      parameters: { machine },
      payload: Type.String({ pattern: '^([0-9]+\\.[0-9]|None)$' }),
    },
    {
      ...{ name: 'monitorMachine', address: 'sentryshot/monitor/{id}/machine', action: 'send' },
      summary: `Of several machines, the one that publishes what happens at the monitor, and since when. ${retained}`,
      parameters: { id },
      payload: Type.Object({
        machine: Type.String(),
        rank: Type.Integer({ description: 'Of two that record it, the one with the higher rank speaks.' }),
        streaming: Type.Boolean({ description: 'Whether pictures arrive.' }),
        turns: Type.Array(
          Type.Object({
            machine: Type.String({ description: 'Empty: nobody.' }),
            since: Type.Integer({ description: 'Unix time in microseconds.' }),
          }),
          { description: 'The last one is its own, or nobody’s until its detectors have begun.' },
        ),
      }),
    },
    {
      ...{ name: 'monitorText', address: 'sentryshot/monitor/{id}/{text}', action: 'send' },
      summary: `Name, state (\`recording\`, \`streaming\`, \`offline\` or \`disabled\`) and its reason, or \`none\`. ${retained}`,
      parameters: { id, text: { description: 'Which text it is.', enum: ['name', 'state', 'reason'] } },
      payload: Type.String({ minLength: 1 }),
    },
    {
      ...{
        name: 'monitorSwitch',
        address: 'sentryshot/monitor/{id}/{switch}',
        action: 'send',
        payload: OnOff,
      },
      summary: `Whether it streams, records, and records because of a command; whether a detector finds something. ${retained}`,
      parameters: {
        id,
        switch: { description: 'What is on.', enum: ['streaming', 'recording', 'record', ...detectors] },
      },
    },
    {
      ...{ name: 'detectorEnabled', address: 'sentryshot/monitor/{id}/{detector}/enabled', action: 'send' },
      summary: `Whether the detector is enabled. ${retained}`,
      parameters: { id, detector },
      payload: OnOff,
    },
    {
      ...{ name: 'labelPresent', address: 'sentryshot/monitor/{id}/labels/{label}/present', action: 'send' },
      summary: `Whether such objects are in view. ${retained}`,
      parameters: { id, label },
      payload: OnOff,
    },
    {
      ...{ name: 'labelCount', address: 'sentryshot/monitor/{id}/labels/{label}/count', action: 'send' },
      summary: `How many such objects are in view. ${retained}`,
      parameters: { id, label },
      payload: Digits,
    },
    {
      ...{ name: 'lastEvent', address: 'sentryshot/monitor/{id}/event', action: 'send' },
      summary: `The last event, its best detection. ${retained}`,
      parameters: { id },
      payload: Type.Object({ id: Type.String(), ...MqttEvent.properties }),
      example: last,
    },
    {
      ...{ name: 'lastSnapshot', address: 'sentryshot/monitor/{id}/snapshot', action: 'send' },
      summary: `The last snapshot of an object. ${retained}`,
      ...{ parameters: { id }, payload: 'image/jpeg' },
    },
    {
      ...{ name: 'setDetector', address: 'sentryshot/monitor/{id}/{detector}/set', action: 'receive' },
      summary: 'Enables or disables the detector. A retained one is ignored.',
      parameters: { id, detector },
      payload: OnOff,
    },
    {
      ...{ name: 'setRecord', address: 'sentryshot/monitor/{id}/record/set', action: 'receive' },
      summary: 'Records for a minute, or for so many seconds, or no longer. A retained one is ignored.',
      parameters: { id },
      payload: Type.Union([OnOff, Digits]),
    },
    {
      ...{ name: 'homeAssistantDevice', address: 'homeassistant/device/{device}/config', action: 'send' },
      summary: `The recorder and each monitor, as Home Assistant's device discovery has it. ${retained}`,
      parameters: { device: { description: 'The installation, or the installation, `_` and a monitor.' } },
      payload: Type.Object({ device: Type.Object({}), origin: Type.Object({}), components: Type.Object({}) }),
    },
    {
      ...{ name: 'homeAssistantStatus', address: 'homeassistant/status', action: 'receive' },
      summary: 'Home Assistant has started: the devices are published again.',
      payload: Type.Enum(['online', 'offline']),
    },
    {
      ...{ name: 'frigateEvents', address: 'frigate/events', action: 'send' },
      summary: 'The life of each object in the form of Frigate, with `frigate = true`. QoS 1, not retained.',
      payload: Type.Object({
        type: Type.Enum(['new', 'update', 'end']),
        ...{ before: Type.Object({}), after: Type.Object({}) },
      }),
    },
    {
      ...{ name: 'frigateCount', address: 'frigate/{camera}/{label}', action: 'send', payload: Digits },
      summary: `How many such objects are in view, with \`frigate = true\`. ${retained}`,
      parameters: { camera: { description: 'The name of the monitor, or its id.' }, label },
    },
  ];
}

/**
 * The parts of an AsyncAPI document that are of the MQTT broker, with the usual prefixes of topics.
 *
 * @param detectors names of all detectors.
 */
export function mqttParts(detectors: readonly string[]): {
  readonly channels: object;
  readonly operations: object;
  readonly messages: object;
} {
  const all = channels(detectors);
  return {
    channels: Object.fromEntries(
      all.map(({ name, address, summary, parameters }) => [
        name,
        {
          ...{ address, description: summary, servers: [{ $ref: '#/servers/broker' }] },
          ...(parameters && { parameters }),
          messages: { [messageName(name)]: { $ref: `#/components/messages/${messageName(name)}` } },
        },
      ]),
    ),
    operations: Object.fromEntries(
      all.map(({ name, action, summary }) => [
        `${action}_${name}`,
        { action, summary, channel: { $ref: `#/channels/${name}` } },
      ]),
    ),
    messages: Object.fromEntries(
      all.map(({ name, payload, example }) => [
        messageName(name),
        {
          ...(typeof payload === 'string'
            ? { contentType: payload }
            : { contentType: contentType(payload), payload }),
          ...(example !== undefined && { examples: [{ payload: example }] }),
        },
      ]),
    ),
  };
}

const messageName = (channel: string) => (channel === 'events' ? 'event' : channel);
const contentType = (payload: TSchema) =>
  (payload as { readonly type?: string }).type === 'object' ? 'application/json' : 'text/plain';
