import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { explainListen } from '../../../http/transport/listen-error.ts';
import { atEnd } from '../../support/cleanup.ts';

/** @returns what the recorder says of a failure of this address. */
async function explained(host: string, port: number): Promise<string> {
  const server = createServer();
  const error = await new Promise((resolve) => {
    server.on('error', resolve);
    server.listen(port, host);
  });
  return (explainListen(error, { host, port }) as Error).message;
}

test('a port that is taken, and a host that is none of this machine, are named with what to change', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  atEnd(async () => void other.close());
  const { port } = other.address() as { port: number };
  expect(await explained('127.0.0.1', port)).toMatch(
    new RegExp(`^port ${port} of 127\\.0\\.0\\.1 is taken by another program: `),
  );
  expect(await explained('192.0.2.1', 0)).toMatch(/^192\.0\.2\.1 is no address of this machine: set `host`/);
  const denied = Object.assign(new Error('listen EACCES'), { code: 'EACCES' });
  expect((explainListen(denied, { host: '0.0.0.0', port: 80 }) as Error).message).toMatch(
    /^this user may not listen on port 80: /,
  );
  const unknown = new Error('what');
  expect(explainListen(unknown, { host: '0.0.0.0', port: 80 })).toBe(unknown);
});
