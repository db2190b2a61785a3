import { dirname } from 'node:path';
import type { Log } from '../../bus/log.ts';
import type { PipelineEnd, PipelineSession } from '../protocol/pipeline-protocol.ts';
import { CrashRecord } from './crash-record.ts';
import { PipelineProcess, type PipelineProcessOptions, type SessionHandlers } from './pipeline-process.ts';

/** An empty process waits for its next session for longer than a monitor pauses between two connections. */
const emptyMs = 35_000;

export interface PipelinePoolOptions {
  /** 1: each connection has a process of its own, which ends with it. */
  readonly monitorsPerProcess: number;
  readonly log: Log;
}

/**
 * The processes of all sessions. Cameras share processes, as many as are allowed in each; no process is started while another
 * one has a seat left. A process that is worn gets no further session: with each new connection one of its sessions moves to
 * another process, and when it is empty it ends.
 *
 * A process of its own have files and test pictures, which GStreamer plays, and monitors that were in a process at several of
 * its crashes.
 */
export class PipelinePool {
  readonly #options: PipelinePoolOptions;
  readonly #crashes = new CrashRecord();
  readonly #shared = new Set<PipelineProcess>();
  readonly #all = new Set<PipelineProcess>();
  readonly #emptied = new Map<PipelineProcess, NodeJS.Timeout>();

  constructor(options: PipelinePoolOptions) {
    this.#options = options;
  }

  /** Runs a session until it ends; one in a process of its own until that is gone. Never rejects. */
  async run(session: PipelineSession, handlers: SessionHandlers): Promise<PipelineEnd> {
    if (this.#isAlone(session)) {
      const process = this.#start({
        ...{ label: session.monitorID, seats: 1, storageDir: dirname(session.recordingsDir) },
        onCrash: (monitorIDs) => {
          if (this.#mayShare(session)) this.#noteCrash(monitorIDs);
        },
      });
      const end = await process.run(session, handlers);
      await this.#stop(process);
      return end;
    }
    const process = this.#seat(session);
    clearTimeout(this.#emptied.get(process));
    this.#options.log.debug(`recorded by the process ${process.pid}`, session.monitorID);
    const end = await process.run(session, handlers);
    this.#leave(process);
    return end;
  }

  /** Starts the processes for so many cameras, which load while something else is waited for. */
  prepare(cameras: number, storageDir: string): void {
    const { monitorsPerProcess } = this.#options;
    if (monitorsPerProcess === 1) return;
    for (let seats = 0; seats < cameras; seats += monitorsPerProcess) {
      this.#leave(this.#startShared(storageDir));
    }
  }

  /** Ends all processes, after the sessions. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((process) => this.#stop(process)));
  }

  #isAlone(session: PipelineSession): boolean {
    return !this.#mayShare(session) || this.#crashes.isAlone(session.monitorID, performance.now());
  }

  #mayShare({ source }: PipelineSession): boolean {
    return this.#options.monitorsPerProcess > 1 && source.kind === 'rtsp';
  }

  /** The fullest process, so that others become empty. */
  #seat(session: PipelineSession): PipelineProcess {
    const free = [...this.#shared].filter(({ hasSeat }) => hasSeat);
    const [fullest] = free.sort((a, b) => b.sessions - a.sessions);
    if (fullest) return fullest;
    return this.#startShared(dirname(session.recordingsDir));
  }

  #startShared(storageDir: string): PipelineProcess {
    const { monitorsPerProcess } = this.#options;
    const process = this.#start({
      ...{ label: 'shared', seats: monitorsPerProcess, storageDir },
      onCrash: (monitorIDs) => this.#noteCrash(monitorIDs),
    });
    this.#shared.add(process);
    return process;
  }

  #start(options: PipelineProcessOptions): PipelineProcess {
    const process = new PipelineProcess(options);
    this.#all.add(process);
    return process;
  }

  /** Called for each session that ends: several may end at once. */
  #leave(process: PipelineProcess): void {
    if (process.sessions > 0) return;
    clearTimeout(this.#emptied.get(process));
    if (process.isWorn) void this.#stop(process);
    else
      this.#emptied.set(
        process,
        setTimeout(() => void this.#stop(process), emptyMs),
      );
  }

  async #stop(process: PipelineProcess): Promise<void> {
    clearTimeout(this.#emptied.get(process));
    this.#emptied.delete(process);
    this.#shared.delete(process);
    await process.stop();
    this.#all.delete(process);
  }

  #noteCrash(monitorIDs: readonly string[]): void {
    for (const monitorID of monitorIDs) {
      if (!this.#crashes.add(monitorID, performance.now())) continue;
      this.#options.log.warning(
        'the process that records it has crashed twice within an hour: for six hours it gets a process of its own',
        monitorID,
      );
    }
  }
}
