import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hostFlags } from '../../bus/children/host-process.ts';
import { orphanMs, stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';
import { type ChildEnd, SupervisedChild } from '../../bus/children/supervised-child.ts';
import { leases } from '../../bus/leases.ts';
import { pipelineEnvironment } from '../pipeline-environment.ts';
import type { PipelineEnd, PipelineReport, PipelineSession } from '../protocol/pipeline-protocol.ts';
import { redactor } from '../redactor.ts';
import type { HostMessage, HostOrder } from './host-messages.ts';

/** Pictures are not in V8's heap, and what is there is soon forgotten: 38 MB instead of 68 with four cameras, and no slower. */
const flags = [...hostFlags, '--max-semi-space-size=1'];
const program = fileURLToPath(new URL('./pipeline-host.js', import.meta.url));

export interface SessionHandlers {
  /** Stops the session gracefully: its files are finished. */
  readonly signal: AbortSignal;
  /** Receives everything that the session reports, its end too. */
  readonly onReport: (report: PipelineReport) => void;
}

export interface PipelineProcessOptions {
  /** For people who look at the list of processes: every user of the machine can read arguments. */
  readonly label: string;
  /** How many sessions there may be at once. */
  readonly seats: number;
  readonly storageDir: string;
  /** Gets the monitors of the sessions that a crash, or the end of a process that hung, has ended. */
  readonly onCrash: (monitorIDs: readonly string[]) => void;
}

interface RunningSession {
  readonly monitorID: string;
  readonly isStopping: () => boolean;
  readonly onReport: (report: PipelineReport) => void;
  readonly finish: (end: PipelineEnd) => void;
}

/** A process of sessions, as main sees it. */
export class PipelineProcess {
  readonly #child: SupervisedChild<HostMessage>;
  readonly #options: PipelineProcessOptions;
  readonly #sessions = new Map<number, RunningSession>();
  /** Of each monitor that was here. */
  readonly #redactors = new Map<string, (text: string) => string>();
  #count = 0;
  #isWorn = false;
  /** Of the process's end, by its own account. */
  #cause: string | undefined;

  constructor(options: PipelineProcessOptions) {
    const { label, seats, storageDir } = options;
    this.#options = options;
    this.#child = new SupervisedChild<HostMessage>({
      start: () =>
        fork(program, [label], {
          execArgv: flags,
          env: pipelineEnvironment(storageDir, seats),
          stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
        }),
      onMessage: (message) => this.#take(message),
      silenceMs: leases.pipelineHeartbeat.expireMs,
      askToStop: () => this.#send({ type: 'leave' }),
      stopMs: stopDeadlinesMs.pipelineProcess,
      orphanMs,
    });
    void this.#child.ended.then((end) => this.#end(end));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** How many sessions run here. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Whether another session may begin here. */
  get hasSeat(): boolean {
    return !this.#isWorn && this.#sessions.size < this.#options.seats;
  }

  /** Whether no session will begin here any more. */
  get isWorn(): boolean {
    return this.#isWorn;
  }

  /** Resolves when the session has ended, or its process has. Never rejects. */
  run(session: PipelineSession, { signal, onReport }: SessionHandlers): Promise<PipelineEnd> {
    this.#count += 1;
    const id = this.#count;
    const { monitorID } = session;
    this.#redactors.set(monitorID, redactor(session.source));
    return new Promise((resolve) => {
      let deadline: NodeJS.Timeout | undefined;
      const stop = () => {
        this.#send({ type: 'stop', id });
        deadline = setTimeout(() => this.#abandon(id), stopDeadlinesMs.pipeline);
      };
      const finish = (end: PipelineEnd) => {
        this.#sessions.delete(id);
        clearTimeout(deadline);
        signal.removeEventListener('abort', stop);
        onReport({ type: 'ended', ...end });
        resolve(end);
      };
      this.#sessions.set(id, { monitorID, isStopping: () => signal.aborted, onReport, finish });
      this.#send({ type: 'start', id, session });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** Ends the process, and what still runs in it. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isWorn = true;
    await this.#child.stop();
  }

  #send(order: HostOrder): void {
    this.#child.send(order);
  }

  #take(message: HostMessage): void {
    this.#child.markReady();
    if (message.type === 'worn') this.#isWorn = true;
    if (message.type === 'failing') this.#cause = message.detail;
    if (message.type !== 'report') return;
    const session = this.#sessions.get(message.id);
    const { report } = message;
    if (report.type === 'ended') session?.finish({ reason: report.reason, detail: report.detail });
    else session?.onReport(report);
  }

  /** A session that does not end ends with its process, once the others have moved to another one. */
  #abandon(id: number): void {
    this.#isWorn = true;
    if (this.#sessions.size === 1) this.#child.kill();
    else this.#sessions.get(id)?.finish({ reason: 'stopped', detail: '' });
  }

  #end({ kind, how, lastLine }: ChildEnd): void {
    this.#isWorn = true;
    const last = [...this.#redactors.values()].reduce((text, redact) => redact(text), lastLine);
    const detail = this.#cause ?? `the pipeline process ${how}${last && `: ${last}`}`;
    const left = [...this.#sessions.values()];
    const hit = left.filter(({ isStopping }) => kind !== 'stopped' && !isStopping());
    if (kind === 'died' && hit.length > 0) this.#options.onCrash(hit.map(({ monitorID }) => monitorID));
    for (const session of left) {
      session.finish(
        hit.includes(session) ? { reason: 'failed', detail } : { reason: 'stopped', detail: '' },
      );
    }
  }
}
