import nunjucks from 'nunjucks';

/**
 * Home Assistant's rules for what is announced over MQTT, as far as the platforms are used here. Its own schemas drop
 * unknown keys silently, so a mistyped one is a fault here.
 */

interface Platform {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly deviceClasses: readonly string[];
}

/** Of every entity. */
const common = [
  ...['platform', 'name', 'unique_id', 'availability', 'availability_mode', 'entity_category', 'icon'],
  ...['enabled_by_default', 'json_attributes_topic', 'json_attributes_template', 'qos', 'encoding'],
  ...['default_entity_id', 'entity_picture'],
];

const platforms: Readonly<Record<string, Platform>> = {
  binary_sensor: {
    required: ['state_topic'],
    optional: [
      ...['device_class', 'expire_after', 'force_update', 'off_delay', 'payload_off', 'payload_on'],
      'value_template',
    ],
    deviceClasses: ['connectivity', 'motion', 'occupancy', 'presence', 'problem', 'running'],
  },
  sensor: {
    required: ['state_topic'],
    optional: [
      ...['device_class', 'expire_after', 'force_update', 'last_reset_value_template', 'options'],
      ...['state_class', 'suggested_display_precision', 'unit_of_measurement', 'value_template'],
    ],
    deviceClasses: ['duration', 'enum', 'timestamp'],
  },
  switch: {
    required: ['command_topic'],
    optional: [
      ...['command_template', 'device_class', 'optimistic', 'payload_off', 'payload_on', 'retain'],
      ...['state_off', 'state_on', 'state_topic', 'value_template'],
    ],
    deviceClasses: ['outlet', 'switch'],
  },
  image: {
    required: [],
    optional: ['content_type', 'image_encoding', 'image_topic', 'url_template', 'url_topic'],
    deviceClasses: [],
  },
};

const deviceKeys = [
  ...['identifiers', 'connections', 'manufacturer', 'model', 'model_id', 'name', 'hw_version'],
  ...['serial_number', 'sw_version', 'via_device', 'suggested_area', 'configuration_url'],
];
const payloadKeys = [
  ...['device', 'origin', 'components', 'state_topic', 'command_topic', 'qos', 'encoding'],
  ...['availability', 'availability_mode', 'availability_template', 'availability_topic'],
  ...['payload_available', 'payload_not_available'],
];
/** Of those that Home Assistant expands, the ones that could stand in these payloads. */
const abbreviations: Readonly<Record<string, string>> = {
  ...{ dev: 'device', o: 'origin', cmps: 'components', p: 'platform', avty: 'availability', t: 'topic' },
  ...{ stat_t: 'state_topic', cmd_t: 'command_topic', uniq_id: 'unique_id', dev_cla: 'device_class' },
  ...{ val_tpl: 'value_template', ent_cat: 'entity_category', avty_mode: 'availability_mode' },
  ...{ ids: 'identifiers', mf: 'manufacturer', mdl: 'model', sw: 'sw_version', img_t: 'image_topic' },
};

type Table = Readonly<Record<string, unknown>>;
const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null;

/** With all abbreviations spelled out. */
function expanded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expanded);
  if (!isTable(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, content]) => [abbreviations[key] ?? key, expanded(content)]),
  );
}

const subscribeTopic = /^[^\0#]+(#)?$/;
const publishTopic = /^[^\0#+]+$/;
const discoveryTopic = /^homeassistant\/device\/([A-Za-z0-9_-]+\/)?[A-Za-z0-9_-]+\/config$/;

const templates = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: true });
nunjucks.installJinjaCompat();

/** As Home Assistant renders a value template on a payload. */
function render(template: string, payload: string): string {
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    // Not every payload is JSON.
  }
  return templates.renderString(template, { value: payload, value_json: json });
}

/**
 * @param topic of the announcement.
 * @param retained all topics with what they hold now.
 * @returns what Home Assistant would refuse, or show wrongly.
 */
export function discoveryFaults(
  topic: string,
  text: string,
  retained: ReadonlyMap<string, string>,
): string[] {
  const payload = expanded(JSON.parse(text));
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  check(discoveryTopic.test(topic), `${topic}: no topic of discovery`);
  if (!isTable(payload)) return [`${topic}: no object`];
  const { device, origin, components } = payload;
  for (const key of Object.keys(payload)) check(payloadKeys.includes(key), `unknown key ${key}`);
  if (!isTable(device) || !isTable(origin) || !isTable(components)) return [`${topic}: a part is missing`];
  for (const key of Object.keys(device)) check(deviceKeys.includes(key), `unknown key device.${key}`);
  check(Array.isArray(device['identifiers']) && device['identifiers'].length > 0, 'no identifiers');
  check(typeof origin['name'] === 'string', 'no origin.name');
  const ids = Object.values(components).flatMap((each) => (isTable(each) ? (each['unique_id'] ?? []) : []));
  check(new Set(ids).size === ids.length, 'unique ids are repeated');
  for (const [key, component] of Object.entries(components)) {
    const found = isTable(component) ? componentFaults(component, retained) : ['no object'];
    faults.push(...found.map((fault) => `${topic}: ${key}: ${fault}`));
  }
  return faults;
}

function componentFaults(component: Table, retained: ReadonlyMap<string, string>): string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  const platform = platforms[String(component['platform'])];
  if (!platform) return [`unknown platform ${String(component['platform'])}`];
  // Removes the component.
  if (Object.keys(component).length === 1) return [];
  for (const key of Object.keys(component)) {
    check([...common, ...platform.required, ...platform.optional].includes(key), `unknown key ${key}`);
  }
  for (const key of [...platform.required, 'unique_id']) {
    check(typeof component[key] === 'string', `${key} is missing`);
  }
  for (const [key, value] of Object.entries(component)) {
    if (!key.endsWith('_topic')) continue;
    const form = key === 'command_topic' ? publishTopic : subscribeTopic;
    check(typeof value === 'string' && form.test(value), `${key} is no topic`);
  }
  const deviceClass = component['device_class'];
  check(
    deviceClass === undefined || platform.deviceClasses.includes(String(deviceClass)),
    `unknown device class ${String(deviceClass)}`,
  );
  check(
    [undefined, 'config', 'diagnostic'].includes(component['entity_category'] as string | undefined),
    'unknown entity category',
  );
  // Sensors cannot be configured.
  check(
    !['sensor', 'binary_sensor'].includes(String(component['platform'])) ||
      component['entity_category'] !== 'config',
    'a sensor of the category config',
  );
  if (component['platform'] === 'image') {
    check(
      (component['image_topic'] === undefined) !== (component['url_topic'] === undefined),
      'an image has one of image_topic and url_topic',
    );
  }
  check(
    ['all', 'any', 'latest', undefined].includes(component['availability_mode'] as string | undefined),
    'unknown availability mode',
  );
  const availability = component['availability'] ?? [];
  for (const each of Array.isArray(availability) ? availability : [availability]) {
    const {
      topic,
      payload_available: up = 'online',
      payload_not_available: down = 'offline',
    } = each as Table;
    const now = retained.get(String(topic));
    check(now === up || now === down, `${String(topic)} holds neither ${String(up)} nor ${String(down)}`);
  }
  return [...faults, ...stateFaults(component, retained)];
}

/** Whether what its topic holds now is a state that Home Assistant takes. */
function stateFaults(component: Table, retained: ReadonlyMap<string, string>): string[] {
  const topic = component['state_topic'];
  if (topic === undefined) return [];
  const held = retained.get(String(topic));
  if (held === undefined) return [`nothing is retained on ${String(topic)}`];
  const template = component['value_template'];
  let state: string;
  try {
    state = typeof template === 'string' ? render(template, held) : held;
  } catch (error) {
    return [`its template fails: ${(error as Error).message}`];
  }
  // The state is then unknown.
  if (state === 'None') return [];
  const { platform, device_class: deviceClass, state_class: stateClass, options } = component;
  const fault = (isRight: boolean) => (isRight ? [] : [`${JSON.stringify(state)} is no state of it`]);
  if (platform === 'binary_sensor' || platform === 'switch') {
    return fault([component['payload_on'] ?? 'ON', component['payload_off'] ?? 'OFF'].includes(state));
  }
  if (deviceClass === 'enum') {
    const isBare = stateClass === undefined && component['unit_of_measurement'] === undefined;
    return [...fault(Array.isArray(options) && options.includes(state)), ...fault(isBare)];
  }
  if (options !== undefined) return ['options without the device class enum'];
  if (deviceClass === 'timestamp') {
    return fault(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(state));
  }
  if (
    deviceClass === 'duration' &&
    !['d', 'h', 'min', 's', 'ms'].includes(String(component['unit_of_measurement']))
  ) {
    return ['a duration without a unit of time'];
  }
  if (stateClass !== undefined) return fault(state !== '' && Number.isFinite(Number(state)));
  return fault(state.length <= 255);
}
