import { join } from 'node:path';
import type { Logger } from '../../bus/logging/logger.ts';
import { type NatsServer, startNatsServer } from '../../bus/nats/nats-server.ts';
import { PipelinePool } from '../../pipelines/host/pipeline-pool.ts';
import type { Config } from '../../store/config/config.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';

/** Processes that take a while until they can be used, and run already. */
export interface EarlyStart {
  readonly pipelines: PipelinePool;
  /** The bus of a machine that is alone and has no other; whoever opens the bus gets its error. */
  readonly natsServer?: Promise<NatsServer> | undefined;
}

/**
 * Starts what no camera is recorded without, before the modules are loaded that use it: what they take is not waited for.
 * Resolves when the processes run.
 */
export async function startEarly(
  { config, monitors }: { readonly config: Config; readonly monitors: Monitors },
  logger: Logger,
): Promise<EarlyStart> {
  const { storageDir, monitorsPerProcess } = config;
  const pipelines = new PipelinePool({ monitorsPerProcess, log: logger.source('recorder') });
  const cameras = monitors.list().filter(({ enable, source }) => enable && source === 'rtsp').length;
  const prepare = () => pipelines.prepare(cameras, storageDir);
  if (config.cluster || config.bus.servers.length > 0) {
    prepare();
    return { pipelines };
  }
  let onSpawned = () => {};
  const spawned = new Promise<void>((resolve) => {
    onSpawned = resolve;
  });
  const natsServer = startNatsServer({ dir: join(storageDir, 'bus'), log: logger.source('app'), onSpawned });
  await Promise.race([spawned, natsServer.catch(() => {})]);
  // After the server, which takes longer than they.
  prepare();
  return { pipelines, natsServer };
}
