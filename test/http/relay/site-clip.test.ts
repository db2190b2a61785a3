import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { PeerRequests } from '../../../http/relay/peer-requests.ts';
import { SiteClip } from '../../../http/relay/site-clip.ts';
import type { Site } from '../../../http/state/site.ts';

/** What is read of another machine's recording when it answers like this. */
async function readOf(status: number, text: string): Promise<string> {
  const peers = { ask: async () => ({ status, headers: {}, body: Readable.from([Buffer.from(text)]) }) };
  const clip = new SiteClip({
    site: { machine: 'nvr1' } as Site,
    recordings: { footage: async () => ({ parts: [] }) as never, openMedia: async () => undefined },
    peers: peers as unknown as PeerRequests,
  });
  const { open } = await clip.source('door', [], [], new AbortController().signal);
  const media = await open('2026-11-27_10-00-00_door@nvr2');
  const pieces: Uint8Array[] = [];
  for await (const piece of media?.read(0, 5) ?? []) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('what another machine refuses, or does not send whole, ends a clip instead of being left out', async () => {
  expect(await readOf(206, 'bytes')).toBe('bytes');
  for (const [status, text] of [
    [404, 'gone!'],
    [503, 'busy!'],
    [206, 'by'],
  ] as const)
    await expect(readOf(status, text)).rejects.toThrow('nvr2 does not have this recording any more.');
});
