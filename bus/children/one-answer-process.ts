import { fork } from 'node:child_process';
import { hostFlags } from './host-process.ts';
import { orphanMs } from './stop-deadlines.ts';
import { SupervisedChild } from './supervised-child.ts';

export interface OneAnswerOptions {
  /** The program of the process, in the build. */
  readonly host: string;
  /** Milliseconds after which the process is killed. */
  readonly deadlineMs: number;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the process. */
  readonly signal: AbortSignal;
}

/**
 * Gives an order to a process of its own, and ends that process with its first message: native code may crash or hang
 * there. Every user of the machine can read arguments, so the order goes over IPC.
 *
 * @returns the message if there was one, how the process ended, and whether it was killed because the time was over. Never
 * rejects.
 */
export async function askProcess<Order extends object, Answer>(
  order: Order,
  { host, deadlineMs, env, signal }: OneAnswerOptions,
) {
  let answer: Answer | undefined;
  const began = performance.now();
  const child = new SupervisedChild<Answer>({
    start: () =>
      fork(host, [], {
        execArgv: [...hostFlags],
        env,
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      }),
    onMessage(message) {
      answer ??= message;
      child.kill();
    },
    askToStop: (process) => process.kill('SIGKILL'),
    stopMs: deadlineMs,
    orphanMs,
  });
  child.markReady();
  child.endWithin(deadlineMs);
  child.send(order);
  const stop = () => void child.stop();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const end = await child.ended;
  signal.removeEventListener('abort', stop);
  const isLate = answer === undefined && performance.now() - began >= deadlineMs;
  return { answer, end, isLate };
}
