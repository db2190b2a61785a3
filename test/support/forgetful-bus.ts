import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Bus } from '../../bus/nats/bus.ts';
import { ensureStreams } from '../../bus/nats/jetstream.ts';
import { type NatsServer, startNatsServer } from '../../bus/nats/nats-server.ts';
import { silentLogger } from './bus.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';

export interface ForgetfulBus {
  readonly server: NatsServer;
  readonly bus: Bus;
  /** What the streams hold now is what they hold after the server's next death. */
  remember(): void;
}

/** A bus that loses its newest messages when its server dies, as one does in a power cut. It is gone when the test is over. */
export async function startForgetfulBus(): Promise<ForgetfulBus> {
  const [dir, kept] = [await temporaryFolder(), await temporaryFolder()];
  const streams = join(dir, 'jetstream');
  const error = (message: string) => {
    // Before it is started again.
    if (!message.endsWith('restarting it')) return;
    rmSync(streams, { recursive: true });
    cpSync(kept, streams, { recursive: true });
  };
  const server = await startNatsServer({ dir, log: { ...silentLogger().source('app'), error } });
  atEnd(() => server.stop());
  const bus = await Bus.connect(server.address, 'test');
  atEnd(() => bus.close());
  await ensureStreams(bus);
  return { server, bus, remember: () => cpSync(streams, kept, { recursive: true }) };
}
