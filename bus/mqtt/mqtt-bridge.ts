import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy, type JsMsg, jetstreamManager } from '@nats-io/jetstream';
import { connect, type MqttClient } from 'mqtt';

import { nowUs } from '../base/time.ts';
import { leases } from '../leases.ts';
import type { Log } from '../log.ts';
import type { DetectionEvent, MqttEvent } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { events } from '../subjects.ts';
import { Deliveries } from './deliveries.ts';
import { formatRfc3339 } from './rfc3339.ts';

export interface MqttOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** Unique per installation: a broker ends the older of two clients with one id. */
  readonly clientId: string;
}

export interface MqttBridge {
  close(): Promise<void>;
}

const consumerName = 'mqtt';

/**
 * Tells an MQTT broker about every detection, in order, at least once.
 *
 * The events' own stream is the queue: the server remembers what the broker has confirmed, so what happens while
 * the broker, the bus or this process is away is told when it is back. What the stream had to let go is counted.
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
      // A request for messages that stayed open would be answered, and nobody would be there to take them.
      restart();
      await client.endAsync(true);
      await Promise.race([running, sleep(1000)]);
      await deliveries.close();
    },
  };

  async function run(): Promise<void> {
    while (!closed) {
      try {
        await deliverAll();
      } catch {
        // The bus is away: its consumer is asked for anew when it is back.
      }
      if (!closed) await sleep(200);
    }
  }

  async function deliverAll(): Promise<void> {
    const manager = await jetstreamManager(bus.native.connection, { checkAPI: false });
    const { ack_floor } = await manager.consumers.add('EVENTS', {
      durable_name: consumerName,
      deliver_policy: DeliverPolicy.New,
      ack_policy: AckPolicy.Explicit,
      ack_wait: leases.mqttDelivery.expireMs * 1e6,
      // One at a time keeps the order, also when one has to be told again.
      max_ack_pending: 1,
    });
    if (ack_floor.stream_seq > 0) last ??= ack_floor.stream_seq;
    const consumer = await bus.native.stream.consumers.get('EVENTS', consumerName);
    const messages = await consumer.consume({ max_messages: 16, expires: 5000 });
    restart = () => void messages.close();
    if (closed) restart();
    const forgetReconnect = bus.onReconnect(restart);
    try {
      for await (const message of messages) {
        if (closed) break;
        await deliver(message);
      }
    } finally {
      forgetReconnect();
    }
  }

  async function deliver(message: JsMsg): Promise<void> {
    // While the broker is away the message stays ours; the server must not think that we died with it.
    const stillHere = setInterval(() => message.working(), leases.mqttDelivery.renewMs);
    try {
      const event = decoded(message.data);
      for (const told of event ? mqttEvents(event) : []) {
        await client.publishAsync(`sentryshot/events/${told.source}`, JSON.stringify(told), { qos: 1 });
      }
      message.ack();
      if (event) {
        const { id: eventID, monitorID, source, time } = event;
        const storedAt = Number(message.timestampNanos / 1000n);
        deliveries.add({ eventID, monitorID, source, time, storedAt, deliveredAt: nowUs() });
      }
    } finally {
      clearInterval(stillHere);
    }
    const lost = last === undefined ? 0 : message.seq - last - 1;
    if (lost > 0) log.error(`${lost} events were too old for the queue and were not told to the broker`);
    last = Math.max(last ?? 0, message.seq);
  }
}

/** @returns nothing for an event of a wrong shape, which nobody could be told anyway. */
function decoded(data: Uint8Array): DetectionEvent | undefined {
  try {
    return events.decode(data);
  } catch {
    return undefined;
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
