import { RtspError } from './protocol/rtsp-error.ts';
import { header, type RtspMessage } from './protocol/rtsp-message.ts';

interface Pending {
  readonly method: string;
  readonly resolve: (answer: RtspMessage) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** Requests that wait for their answers, each for a limited time. */
export class PendingRequests {
  readonly #answerMs: number;
  readonly #pending = new Map<number, Pending>();
  #strays = 0;

  constructor(answerMs: number) {
    this.#answerMs = answerMs;
  }

  /** @throws {RtspError} `unreachable` when no answer comes in time; what `fail` gives. */
  wait(sequence: number, method: string): Promise<RtspMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(sequence);
        const wrong = this.#strays > 0 ? '; what it answered carries another CSeq' : '';
        const text = `the camera did not answer ${method} within ${this.#answerMs / 1000} s${wrong}`;
        reject(new RtspError('unreachable', text));
      }, this.#answerMs);
      this.#pending.set(sequence, { method, resolve, reject, timer });
    });
  }

  /** @returns false for an answer to nothing that waits: a second one, one that came too late, a wrong number. */
  settle(answer: RtspMessage): boolean {
    const named = header(answer, 'cseq');
    const [only] = this.#pending.keys();
    const isOnly = named === undefined && this.#pending.size === 1;
    const sequence = isOnly ? only : Number.parseInt(named ?? '', 10);
    const pending = this.#take(sequence ?? Number.NaN);
    if (!pending) this.#strays++;
    pending?.resolve(answer);
    return pending !== undefined;
  }

  /** @param errorFor what a request of this method fails with. */
  fail(errorFor: (method: string) => unknown): void {
    for (const sequence of [...this.#pending.keys()]) {
      const pending = this.#take(sequence);
      pending?.reject(errorFor(pending.method));
    }
  }

  #take(sequence: number): Pending | undefined {
    const pending = this.#pending.get(sequence);
    clearTimeout(pending?.timer);
    this.#pending.delete(sequence);
    return pending;
  }
}
