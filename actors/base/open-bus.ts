import { join } from 'node:path';
import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import type { Logger } from '../../bus/logging/logger.ts';
import { Bus } from '../../bus/nats/bus.ts';
import type { BusAddress } from '../../bus/nats/bus-address.ts';
import { removeBusAddress, writeBusAddress } from '../../bus/nats/bus-address-file.ts';
import { ensureStreams } from '../../bus/nats/jetstream.ts';
import {
  embeddedBus,
  type NatsServer,
  type SiteMember,
  startNatsServer,
} from '../../bus/nats/nats-server.ts';
import { watchStreamHealth } from '../../bus/nats/stream-health.ts';
import type { Config } from '../../store/config/config.ts';
import type { Closers } from './closers.ts';

/** The machines of which this one's bus is to be a part. */
interface Site {
  joinBus(dir: string): Promise<SiteMember>;
}

export interface OpenBus {
  readonly bus: Bus;
  readonly address: BusAddress;
  /** Whether it is reached, and stores messages. */
  isHealthy(): boolean;
}

/** Milliseconds between two checks of the bus's streams. */
const streamCheckIntervalMs = 10_000;

/**
 * Opens the bus: a nats-server of its own, unless the configuration has others, and its streams. Main's log goes to it.
 *
 * @param closers gets all that was opened, also when this fails.
 * @param site where there are several machines.
 * @throws {NatsServerError} {StreamError} errors of the connection and of the file system.
 */
export async function openBus(
  config: Pick<Config, 'bus' | 'storageDir'>,
  logger: Logger,
  closers: Closers,
  site?: Site,
): Promise<OpenBus> {
  const log = logger.source('app');
  let address: BusAddress = config.bus;
  const dir = join(config.storageDir, 'bus');
  let embedded: NatsServer | undefined;
  if (config.bus.servers.length === 0) {
    const kind = embeddedBus(await site?.joinBus(dir));
    const server = await startNatsServer({ dir, log, kind });
    closers.addWithin('natsServer', () => Promise.all([removeBusAddress(dir), server.stop()]));
    address = server.address;
    embedded = server;
  }
  const bus = await Bus.connect(address, 'main');
  closers.addWithin('bus', () => bus.close());
  await Promise.all([ensureStreams(bus, site !== undefined), embedded && writeBusAddress(dir, address)]);
  const watch = watchStreamHealth(bus, streamCheckIntervalMs, () => {
    log.error('JetStream stopped storing messages (disk full?); restarting nats-server');
    embedded?.restart();
  });
  closers.add(() => watch.stop());
  logger.attach(bus);
  closers.add(() => logger.flush(stopDeadlinesMs.mainLog));
  return { bus, address, isHealthy: () => bus.connected && watch.healthy };
}
