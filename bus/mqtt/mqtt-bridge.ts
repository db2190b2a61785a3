import { formatRfc3339 } from '../base/time.ts';
import { stopDeadlinesMs } from '../children/stop-deadlines.ts';
import type { Log } from '../log.ts';
import type { DetectionEvent, MqttEvent } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { BrokerLink, type BrokerState } from './broker/broker-link.ts';
import { type BrokerOptions, brokerAddress } from './broker/broker-options.ts';
import type { BrokerSession, Outcome, Publication } from './broker/broker-session.ts';
import { Deliveries } from './delivery-reports.ts';
import { type EventBacklog, EventDelivery } from './event-delivery.ts';
import { FrigateTopics } from './frigate/frigate-topics.ts';
import type { DiscoveryNames } from './home-assistant/discovery-payload.ts';
import { deviceTopic, HomeAssistant } from './home-assistant/home-assistant.ts';
import { Announcement } from './topics/announcement.ts';
import { FormerCluster } from './topics/former-cluster.ts';
import { HouseCommands } from './topics/house-commands.ts';
import type { House } from './topics/house-monitor.ts';
import { HouseTopics } from './topics/house-topics.ts';
import { recorderTopics } from './topics/recorder-topics.ts';
import { RetainedTopics } from './topics/retained-topics.ts';
import { TopicRecord } from './topics/topic-record.ts';
import { ownVoice } from './topics/voice.ts';
import type { SiteVoice } from './voice/site-voice.ts';

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
  /** Of one of several machines that publish for one house. */
  readonly voice?: SiteVoice;
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
  const { discoveryPrefix = 'homeassistant', voice: siteVoice } = options;
  const voice = siteVoice ?? ownVoice;
  const publish = (publication: Publication) => link.publish(publication);
  const names = discoveryNames(options, prefix, hasCommands);
  const isThere = (payload: 'online' | 'offline') =>
    ({ topic: names.recorderTopics.available, payload, isRetained: true }) as const;
  const online = new Announcement(isThere('online'), publish, () => link.state.isConnected);
  const membership = siteVoice && { prefix, machine: siteVoice.machine };
  const record = await TopicRecord.open(options.recordFile, membership);
  const formerCluster = record.former && new FormerCluster(record.former);
  const ofMonitors = `${prefix}/monitor/`;
  const ofOthers = () => {
    if (!siteVoice) return () => false;
    const others = (house?.monitors() ?? []).map(({ id }) => id).filter((id) => !voice.speaks(id));
    const monitors = new Set<string | undefined>(others);
    const devices = new Set(others.map((id) => deviceTopic(discoveryPrefix, `${names.installation}_${id}`)));
    return (topic: string) =>
      topic.startsWith('frigate/') ||
      devices.has(topic) ||
      (topic.startsWith(ofMonitors) && monitors.has(topic.slice(ofMonitors.length).split('/', 1)[0]));
  };
  const topics = new RetainedTopics(record, publish, ofOthers);
  const shown = hasStates ? house : undefined;
  const { storageDaysLeft } = names.recorderTopics;
  const houseTopics =
    shown && new HouseTopics({ bus, house: shown, topics, voice, prefix, storageDaysLeft, offDelayMs });
  const houseCommands =
    shown && houseTopics && hasCommands
      ? new HouseCommands({ bus, house: shown, houseTopics, topics, voice, prefix, log })
      : undefined;
  const homeAssistant =
    houseTopics && hasHomeAssistant
      ? new HomeAssistant({ ...names, discoveryPrefix, houseTopics, topics, voice, record })
      : undefined;
  const subscriptions = [
    ...(houseCommands ? [HouseCommands.filter(prefix)] : []),
    ...(homeAssistant ? HomeAssistant.birthTopics(discoveryPrefix) : []),
  ];
  const link: BrokerLink = new BrokerLink({ ...options, will: isThere('offline') }, subscriptions, log, {
    ...(siteVoice && { onOpen: (session: BrokerSession) => siteVoice.learn(session) }),
    ...(formerCluster && { onOpen: (session: BrokerSession) => settle(formerCluster, session) }),
    async onConnect() {
      await topics.connected();
      // Last: whoever sees it has seen all the others.
      await online.announce();
    },
    onMessage(topic, payload, isRetained) {
      siteVoice?.message(topic, payload, isRetained);
      formerCluster?.message(topic, payload);
      houseCommands?.message(topic, payload, isRetained);
      homeAssistant?.message(topic, payload);
    },
  });
  if (houseTopics && options.hasFrigate === true) {
    new FrigateTopics({ houseTopics, topics, voice, log, publish });
  }
  /** Nothing is cleared that others publish, nor while it is not known whether they do. */
  async function settle(cluster: FormerCluster, session: BrokerSession): Promise<void> {
    if (!record.former) return;
    const isThere = await cluster.isThere(session).catch(() => undefined);
    if (isThere !== undefined) topics.settleFormerCluster(!isThere);
  }
  const deliveries = new Deliveries(bus, 'mqtt');
  const publicationsOf = (event: DetectionEvent): Publication[] =>
    mqttEvents(event).map((detection) => ({
      topic: `${prefix}/events/${detection.source}`,
      payload: JSON.stringify(detection),
      isRetained: false,
      ...(messageExpiryS !== undefined && { expiryS: messageExpiryS }),
      ...(siteVoice && { isWanted: () => siteVoice.admits(event) }),
    }));
  const publishEvent = (event: DetectionEvent): Promise<Outcome> => {
    siteVoice?.notice(event);
    return outcomeOfAll(publicationsOf(event).map((publication) => link.publish(publication)));
  };
  siteVoice?.attach({
    ...{ prefix, topics },
    isConnected: () => link.state.isConnected,
    announce: () => void online.announce(),
    publishFirst(held) {
      const publications = held.map(publicationsOf);
      const outcomes = link.publishFirst(publications.flat());
      for (const event of held) houseTopics?.get(event.monitorID)?.lastEvent(event);
      return publications.map(({ length }) => outcomeOfAll(outcomes.splice(0, length)));
    },
    hold: ({ id }) => delivery.hold(id),
  });
  // Of the time in which this machine was alone.
  if (siteVoice) topics.clear(recorderTopics(prefix, undefined).available);
  const publisher = { publish: publishEvent, maxHeld: siteVoice?.maxHeld ?? 0 };
  const delivery: EventDelivery = new EventDelivery(bus, publisher, deliveries, log);
  return {
    async report() {
      const backlog = await delivery.backlog();
      const { clientId } = options;
      return { broker: brokerAddress(options), clientId, topics: topics.size, ...link.state, ...backlog };
    },
    async close() {
      siteVoice?.close();
      houseTopics?.close();
      houseCommands?.close();
      await Promise.all([
        delivery.close(stopDeadlinesMs.mqttConsumer),
        link.close(isThere('offline'), stopDeadlinesMs.mqttConsumer / 2),
      ]);
      // Until the link is closed, it may say of something that it was refused.
      topics.close();
      online.close();
      await deliveries.close();
    },
  };
}

function discoveryNames(
  { clientId, installation = clientId, voice }: MqttOptions,
  prefix: string,
  hasCommands: boolean,
): DiscoveryNames {
  const id = (text: string) => text.replace(/[^A-Za-z0-9_-]/g, '_');
  const own = id(installation);
  const machine = voice?.machine;
  return {
    ...{ installation: own, prefix, hasCommands, recorderTopics: recorderTopics(prefix, machine) },
    recorder: machine === undefined ? own : `${own}_machine_${id(machine)}`,
    recorderName: machine === undefined ? 'Sentrybus' : `Sentrybus ${machine}`,
  };
}

/** Of an event, by what has become of its detections. */
async function outcomeOfAll(outcomes: readonly Promise<Outcome>[]): Promise<Outcome> {
  const known = await Promise.all(outcomes);
  return known.length > 0 && known.every((outcome) => outcome === 'delivered') ? 'delivered' : 'refused';
}

function mqttEvents({ monitorID, monitorName, source, detections, ...event }: DetectionEvent): MqttEvent[] {
  const time = formatRfc3339(event.time);
  return detections.map(({ label, score }) => ({ monitorID, monitorName, label, score, time, source }));
}
