import { WebSocket } from 'ws';
import { atEnd } from '../support/cleanup.ts';
import type { Recorder } from '../support/recorder.ts';

/** One client that takes every frame of the feed, and where it was cut off for being slow, goes on behind the last. */
export function followFeed({ url, admin }: Recorder) {
  const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString('base64')}`;
  const counts = new Map<string, number>();
  let [last, doubled, cuts] = [0, 0, 0];
  let stopped = false;
  let socket = open('');
  atEnd(async () => socket.terminate());
  return {
    received: (name: string) => counts.get(name) ?? 0,
    get doubled() {
      return doubled;
    },
    get cuts() {
      return cuts;
    },
    stop: () => {
      stopped = true;
    },
  };

  function open(query: string): WebSocket {
    const feed = `${url.replace('http', 'ws')}/api/logs${query}`;
    const opened = new WebSocket(feed, { headers: { authorization }, rejectUnauthorized: false });
    opened.on('message', (data: Buffer) => {
      const [, time = '0', name = ''] = /"time":(\d+).*"src":"([a-z]+)/.exec(data.toString('latin1')) ?? [];
      if (Number(time) <= last) doubled += 1;
      last = Number(time);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
    opened.on('error', () => {});
    opened.on('close', () => {
      if (stopped) return;
      cuts += 1;
      socket = open(`?after=${last}`);
    });
    return opened;
  }
}
