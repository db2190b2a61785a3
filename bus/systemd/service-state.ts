import { DatagramSender } from './datagram-sender.ts';

/**
 * What systemd knows of this service (sd_notify(3)): that it serves, that it is alive, that it stops. Does nothing where
 * systemd did not start this process.
 */
export class ServiceState {
  readonly #sender: DatagramSender | undefined;
  readonly #watchdogMs: number;
  #beat: NodeJS.Timeout | undefined;

  /** @param env with systemd's `NOTIFY_SOCKET` and `WATCHDOG_USEC`. */
  constructor(env: NodeJS.ProcessEnv) {
    const socket = env['NOTIFY_SOCKET'];
    this.#sender = socket ? new DatagramSender(socket) : undefined;
    this.#watchdogMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000;
  }

  /** The recorder serves. From now on it reports that it is alive, as often as systemd's own advice is: twice as often as it must. */
  ready(status: string): void {
    this.#send(`READY=1\nSTATUS=${status}`);
    if (!this.#sender || !(this.#watchdogMs > 0)) return;
    this.#beat = setInterval(() => this.#send('WATCHDOG=1'), this.#watchdogMs / 2);
    this.#beat.unref();
  }

  /** It ends in order, within its own time limit. */
  stopping(): void {
    clearInterval(this.#beat);
    this.#send('STOPPING=1');
  }

  #send(message: string): void {
    this.#sender?.send(Buffer.from(message));
  }
}
