import { setTimeout as sleep } from 'node:timers/promises';
import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import { Logger } from '../../bus/logging/logger.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { Outbox } from '../../bus/nats/outbox.ts';
import type { PipelineSession } from '../protocol/pipeline-protocol.ts';

const reconnectPauseMs = 1000;

/** Of hours without a bus; the oldest go first. */
const maxReports = 40_000;

/**
 * What the sessions of a process have in common: the log, the reports of recordings, and one connection to the bus, which
 * recording does not need.
 */
export class HostBus {
  readonly logger = new Logger();
  readonly reports = new Outbox(maxReports, (count) =>
    this.logger
      .source('recorder')
      .warning(`${count} reports of recordings were lost while the bus was unreachable`),
  );
  #connecting: Promise<Bus> | undefined;

  /**
   * Connects with the first session: all those of a recorder have the same bus.
   *
   * @returns resolves when the bus has been reached. Never rejects.
   */
  connect(session: PipelineSession): Promise<Bus> {
    this.logger.configure(session.log);
    this.#connecting ??= this.#attach(session);
    return this.#connecting;
  }

  /** At the end of the process. Resolves when the bus has all that was logged and reported, or after a deadline. */
  async flush(): Promise<void> {
    await Promise.all([this.logger, this.reports].map((each) => each.flush(stopDeadlinesMs.pipelineLog)));
  }

  async #attach(session: PipelineSession): Promise<Bus> {
    const bus = await connect(session);
    this.logger.attach(bus);
    this.reports.attach(bus);
    return bus;
  }
}

async function connect({ bus }: PipelineSession): Promise<Bus> {
  for (;;) {
    try {
      return await Bus.connect(bus, `pipelines ${process.pid}`);
    } catch {
      await sleep(reconnectPauseMs);
    }
  }
}
