import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fetchFile } from '../../../../../actors/detectors/objects/models/model-download.ts';
import { atEnd } from '../../../../support/cleanup.ts';
import { temporaryFolder } from '../../../../support/folder.ts';
import { freePort } from '../../../../support/ports.ts';

const content = Buffer.from('a model');
const sha256 = createHash('sha256').update(content).digest('hex');

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const labelsFrom = async (from: string) =>
  fetchFile({ name: 'mine', what: 'list of labels', from, downloads: await temporaryFolder() });

test('a server that sends more than can be, and does not say how much, is no longer listened to', async () => {
  let [sent, gone] = [0, false];
  const url = await serve((_request, response) => {
    response.on('close', () => {
      gone = true;
    });
    const more = () => {
      // As fast as it is read, 64 MB at most.
      while (!gone && sent < 64 << 20) {
        sent += 1 << 16;
        if (!response.write(Buffer.alloc(1 << 16))) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  await expect(labelsFrom(url)).rejects.toThrow(
    'mine: the list of labels cannot be downloaded: it is larger than 1 MiB',
  );
  expect(sent).toBeLessThan(32 << 20);
});

test('a file that never ends is not read', async () => {
  const pipe = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const place of [pipe, '/dev/zero']) {
    await expect(labelsFrom(place)).rejects.toThrow(
      `mine: the list of labels cannot be read: ${place}: it is not a regular file`,
    );
  }
});

test('a connection’s fault is named', async () => {
  const port = await freePort();
  await expect(labelsFrom(`http://127.0.0.1:${port}/m.txt`)).rejects.toThrow(
    `mine: the list of labels cannot be downloaded: fetch failed: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
});

test('a redirect is followed where a checksum proves the file, and reported elsewhere', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/content') response.end(content);
    else response.writeHead(302, { location: '/content' }).end();
  });
  const place = { name: 'mine', what: 'model', from: `${url}/model`, sha256 } as const;
  const model = await fetchFile({ ...place, downloads: await temporaryFolder() });
  expect(Buffer.from(model)).toEqual(content);
  await expect(labelsFrom(`${url}/labels`)).rejects.toThrow(
    'mine: the list of labels cannot be downloaded: the server redirects to /content',
  );
});
