import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import { type AppOptions, createApp } from './app.ts';
import { OpenAnswers } from './open-answers.ts';
import { WebSockets } from './websockets.ts';

/** One socket that is listened on, with all that is served on it: requests and WebSockets of a table of routes, through one gate. */
export interface Door {
  /** @returns the port. @throws the system's error. */
  listen(address: { host: string; port: number }): Promise<number>;
  /** Ends the WebSockets and downloads of callers that are no longer admitted. */
  check(): void;
  /** Stops listening and closes every connection within 5 s; WebSockets get a close frame first. */
  close(): Promise<void>;
}

export interface DoorOptions extends Omit<AppOptions, 'openAnswers'> {
  readonly server: Server;
  /** Milliseconds between two pings of a WebSocket; 30,000 by default. */
  readonly pingInterval?: number | undefined;
}

export function openDoor({ pingInterval = 30_000, ...options }: DoorOptions): Door {
  const { server } = options;
  const openAnswers = new OpenAnswers();
  const app = createApp({ ...options, openAnswers });
  const webSockets = new WebSockets({ ...options, pingInterval });
  return {
    async listen(address) {
      await app.listen(address);
      return (server.address() as AddressInfo).port;
    },
    check() {
      webSockets.check();
      openAnswers.check();
    },
    async close() {
      const stopped = app.close();
      const cut = setTimeout(() => server.closeAllConnections(), stopDeadlinesMs.requests);
      await webSockets.close(stopDeadlinesMs.webSockets);
      await stopped;
      clearTimeout(cut);
    },
  };
}
