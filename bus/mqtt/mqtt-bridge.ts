import { formatRfc3339 } from '../base/time.ts';
import { stopDeadlinesMs } from '../children/stop-deadlines.ts';
import type { Log } from '../log.ts';
import type { DetectionEvent, MqttEvent } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { BrokerLink, type BrokerState } from './broker/broker-link.ts';
import { type BrokerOptions, brokerAddress } from './broker/broker-options.ts';
import type { Outcome } from './broker/publication-queue.ts';
import { Deliveries } from './delivery-reports.ts';
import { type EventBacklog, EventDelivery } from './event-delivery.ts';
import { FrigateTopics } from './frigate/frigate-topics.ts';
import { HomeAssistant } from './home-assistant/home-assistant.ts';
import { Availability } from './topics/availability.ts';
import { HouseCommands } from './topics/house-commands.ts';
import type { House } from './topics/house-monitor.ts';
import { HouseTopics } from './topics/house-topics.ts';
import { RetainedTopics } from './topics/retained-topics.ts';
import { TopicRecord } from './topics/topic-record.ts';

export interface MqttOptions extends Omit<BrokerOptions, 'will'> {
  /** First level of all topics, `sentryshot` if absent. */
  readonly prefix?: string;
  /** Seconds after which the broker forgets an event; never if absent. */
  readonly messageExpiryS?: number;
  /** Milliseconds without an event after which a detector finds nothing any more. */
  readonly offDelayMs?: number;
  /** Whether the states of the monitors are published; true if absent. */
  readonly hasStates?: boolean;
  /** Whether commands are accepted; true if absent. */
  readonly hasCommands?: boolean;
  /** Whether Home Assistant is told of the monitors; true if absent. */
  readonly hasHomeAssistant?: boolean;
  /** `homeassistant` if absent. */
  readonly discoveryPrefix?: string;
  /** Whether Frigate's topics are published as well. */
  readonly hasFrigate?: boolean;
  /** Identifies the installation in Home Assistant; the client id if absent. */
  readonly installation?: string;
  /** File that remembers which topics hold something; in memory if absent. */
  readonly recordFile?: string;
}

/** For `GET /api/mqtt` and the metrics. */
export interface MqttReport extends BrokerState, EventBacklog {
  readonly broker: string;
  readonly clientId: string;
  /** Retained topics that are kept. */
  readonly topics: number;
}

export interface MqttBridge {
  /** @throws if the bus is unreachable. */
  report(): Promise<MqttReport>;
  close(): Promise<void>;
}

const usualPrefix = 'sentryshot';
const usualOffDelayMs = 10_000;

/**
 * Publishes every detection to an MQTT broker, in order, at least once; and what the house may know of the monitors, as
 * retained topics.
 *
 * @param house undefined: events only.
 */
export async function startMqttBridge(
  bus: Bus,
  options: MqttOptions,
  log: Log,
  house?: House,
): Promise<MqttBridge> {
  const { prefix = usualPrefix, messageExpiryS, offDelayMs = usualOffDelayMs } = options;
  const { hasStates = true, hasCommands = true, hasHomeAssistant = true } = options;
  const { discoveryPrefix = 'homeassistant', installation = options.clientId } = options;
  const availability = new Availability(prefix, (publication) => link.publish(publication));
  const record = await TopicRecord.open(options.recordFile);
  const topics = new RetainedTopics(record, (publication) => link.publish(publication));
  const shown = hasStates ? house : undefined;
  const houseTopics = shown && new HouseTopics({ bus, house: shown, topics, prefix, offDelayMs });
  const houseCommands =
    shown && houseTopics && hasCommands
      ? new HouseCommands({ bus, house: shown, houseTopics, topics, prefix, log })
      : undefined;
  const names = { installation: installation.replace(/[^A-Za-z0-9_-]/g, '_'), prefix, hasCommands };
  const homeAssistant =
    houseTopics && hasHomeAssistant
      ? new HomeAssistant({ ...names, discoveryPrefix, houseTopics, topics, record })
      : undefined;
  const subscriptions = [
    ...(houseCommands ? [HouseCommands.filter(prefix)] : []),
    ...(homeAssistant ? HomeAssistant.birthTopics(discoveryPrefix) : []),
  ];
  const link: BrokerLink = new BrokerLink({ ...options, will: availability.offline }, subscriptions, log, {
    async onConnect() {
      await topics.connected();
      // Last: whoever sees it has seen all the others.
      await availability.announce();
    },
    onMessage(topic, payload, isRetained) {
      houseCommands?.message(topic, payload, isRetained);
      homeAssistant?.message(topic, payload);
    },
  });
  if (houseTopics && options.hasFrigate === true) {
    new FrigateTopics({ houseTopics, topics, log, publish: (publication) => link.publish(publication) });
  }
  const deliveries = new Deliveries(bus, 'mqtt');
  const publishEvent = (event: DetectionEvent): Promise<Outcome>[] =>
    mqttEvents(event).map((detection) =>
      link.publish({
        topic: `${prefix}/events/${detection.source}`,
        payload: JSON.stringify(detection),
        isRetained: false,
        ...(messageExpiryS !== undefined && { expiryS: messageExpiryS }),
      }),
    );
  const delivery = new EventDelivery(bus, publishEvent, deliveries, log);
  return {
    async report() {
      const backlog = await delivery.backlog();
      const { clientId } = options;
      return { broker: brokerAddress(options), clientId, topics: topics.size, ...link.state, ...backlog };
    },
    async close() {
      houseTopics?.close();
      houseCommands?.close();
      await Promise.all([
        delivery.close(stopDeadlinesMs.mqttConsumer),
        link.close(availability.offline, stopDeadlinesMs.mqttConsumer / 2),
      ]);
      await deliveries.close();
    },
  };
}

function mqttEvents({ monitorID, monitorName, source, detections, ...event }: DetectionEvent): MqttEvent[] {
  const time = formatRfc3339(event.time);
  return detections.map(({ label, score }) => ({ monitorID, monitorName, label, score, time, source }));
}
