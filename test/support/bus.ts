import { Logger } from '../../bus/logging/logger.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { ensureStreams } from '../../bus/nats/jetstream.ts';
import { embeddedBus, type NatsServer, startNatsServer } from '../../bus/nats/nats-server.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';

export interface TestBus {
  readonly server: NatsServer;
  readonly bus: Bus;
  /** Another connection to the same server. */
  connect(): Promise<Bus>;
}

/** A logger that prints nothing and stores nothing. */
export const silentLogger = () => new Logger(() => {});

/**
 * A real nats-server with its streams, and a connection to it. Both are gone when the test is over.
 *
 * @param domain of its streams, where it is one of several.
 */
export async function startTestBus(domain?: string): Promise<TestBus> {
  const server = await startNatsServer({
    dir: await temporaryFolder(),
    log: silentLogger().source('app'),
    kind: embeddedBus(domain === undefined ? undefined : { domain, config: '' }),
  });
  atEnd(() => server.stop());
  const connect = async () => {
    const bus = await Bus.connect(server.address, 'test');
    atEnd(() => bus.close());
    return bus;
  };
  const bus = await connect();
  await ensureStreams(bus);
  return { server, bus, connect };
}
