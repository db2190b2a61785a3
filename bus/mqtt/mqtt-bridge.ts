import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type MqttClient } from 'mqtt';
import { nowUs } from '../base/time.ts';
import { stopDeadlinesMs } from '../children/stop-deadlines.ts';
import { leases } from '../leases.ts';
import type { Log } from '../log.ts';
import type { DetectionEvent, MqttEvent } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { type DurableMessage, openDurableReader } from '../nats/durable-reader.ts';
import { events } from '../subjects.ts';
import { Deliveries } from './delivery-reports.ts';
import { formatRfc3339 } from './rfc3339.ts';

export interface MqttOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** Unique per installation: of two clients with the same id a broker disconnects the older one. */
  readonly clientId: string;
}

export interface MqttBridge {
  close(): Promise<void>;
}

const readerName = 'mqtt';

/**
 * Publishes every detection to an MQTT broker, in order, at least once.
 *
 * The JetStream stream EVENTS is the queue: its server remembers which events the broker has confirmed, so events from
 * while the broker, the bus or this process is offline are delivered later. Events that expire in the stream before
 * they are delivered are counted and logged.
 */
export function startMqttBridge(bus: Bus, options: MqttOptions, log: Log): MqttBridge {
  const client = connectToBroker(options, log);
  const deliveries = new Deliveries(bus, 'mqtt');
  let closed = false;
  let last: number | undefined;
  let restart = () => {};
  const running = run();
  return {
    async close() {
      closed = true;
      // Ends the open request for messages; otherwise the server would deliver messages that are never handled.
      restart();
      await client.endAsync(true);
      await Promise.race([running, sleep(stopDeadlinesMs.mqttConsumer)]);
      await deliveries.close();
    },
  };

  async function run(): Promise<void> {
    while (!closed) {
      try {
        await deliverAll();
      } catch {
        // The bus is offline: the consumer is opened again when it is back.
      }
      if (!closed) await sleep(200);
    }
  }

  async function deliverAll(): Promise<void> {
    const reader = await openDurableReader(bus, 'EVENTS', events, readerName, leases.mqttDelivery);
    if (reader.confirmed > 0) last ??= reader.confirmed;
    restart = reader.close;
    if (closed) restart();
    for await (const message of reader) {
      if (closed) break;
      await deliver(message);
    }
  }

  async function deliver(message: DurableMessage<DetectionEvent>): Promise<void> {
    // Keeps the NATS server from delivering the message again while the broker is offline.
    const keepAlive = setInterval(message.extend, leases.mqttDelivery.renewMs);
    try {
      // Undefined for an event of a wrong shape, which cannot be delivered.
      const event = message.message;
      for (const detection of event ? mqttEvents(event) : []) {
        await client.publishAsync(`sentryshot/events/${detection.source}`, JSON.stringify(detection), {
          qos: 1,
        });
      }
      message.confirm();
      if (event) {
        const { id: eventID, monitorID, source, time } = event;
        deliveries.add({
          eventID,
          monitorID,
          source,
          time,
          storedAt: message.storedAt,
          deliveredAt: nowUs(),
        });
      }
    } finally {
      clearInterval(keepAlive);
    }
    const lost = last === undefined ? 0 : message.sequence - last - 1;
    if (lost > 0) log.error(`${lost} events expired before they could be delivered to the broker`);
    last = Math.max(last ?? 0, message.sequence);
  }
}

function mqttEvents({ monitorID, monitorName, source, detections, ...event }: DetectionEvent): MqttEvent[] {
  const time = formatRfc3339(event.time);
  return detections.map(({ label, score }) => ({ monitorID, monitorName, label, score, time, source }));
}

function connectToBroker({ host, port, username, password, clientId }: MqttOptions, log: Log): MqttClient {
  const client = connect({
    host,
    port,
    clientId,
    protocol: 'mqtt',
    reconnectPeriod: 1000,
    connectTimeout: 5000,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  });
  let complained = false;
  client.on('connect', () => {
    complained = false;
    log.info(`connected to ${host}:${port}`);
  });
  const complain = (message: string) => {
    if (complained) return;
    complained = true;
    log.warning(`${host}:${port}: ${message}; events wait until it is back`);
  };
  client.on('error', (error) => complain(error.message || (error as NodeJS.ErrnoException).code || 'failed'));
  client.on('close', () => {
    if (!client.disconnecting) complain('connection closed');
  });
  return client;
}
