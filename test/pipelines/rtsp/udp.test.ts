import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  type FakeAnswer,
  FakeCamera,
  type FakeConnection,
  sendDatagrams,
  videoAndAudio,
} from '../../support/fake-camera.ts';
import { writeRtp } from '../../support/rtp-writer.ts';
import { openSession, view } from '../../support/rtsp-viewer.ts';
import { waitFor } from '../../support/wait.ts';

const datagrams = (sequences: readonly number[], ssrc?: number) =>
  sequences.map((sequence) =>
    writeRtp({
      sequence,
      timestamp: sequence * 3000,
      payload: Buffer.alloc(1000),
      ...(ssrc !== undefined && { ssrc }),
    }),
  );
const port = ({ clientPorts }: FakeConnection) => clientPorts[0]?.[0] ?? 0;
const overUdp = async (play: (connection: FakeConnection) => Promise<void>) => {
  const camera = await FakeCamera.start({ play });
  return view(camera.url(), { transport: 'udp' });
};
const sequencesOf = (viewer: Awaited<ReturnType<typeof overUdp>>) =>
  viewer.packets[0]?.map(({ sequence }) => sequence);
const countsOf = ({ session }: Awaited<ReturnType<typeof overUdp>>) =>
  session.counts(session.tracks[0] as never);

describe('over UDP', () => {
  test('packets come on a pair of ports, the first of them even', async () => {
    let ports: readonly [number, number] | undefined;
    const viewer = await overUdp(async (connection) => {
      ports = connection.clientPorts[0];
      await sendDatagrams(port(connection), datagrams([1, 2, 3]));
    });
    await viewer.received(3);
    expect(viewer.results).toMatchObject([{ transport: 'udp' }]);
    const [first = 1, second] = ports ?? [];
    expect([first % 2, second]).toEqual([0, first + 1]);
  });

  test('they are put in order, also where the numbers wrap, and doubles are dropped', async () => {
    const viewer = await overUdp((connection) =>
      sendDatagrams(port(connection), datagrams([65_533, 65_535, 0, 65_534, 2, 1, 1, 65_535, 3])),
    );
    await viewer.received(7);
    expect(sequencesOf(viewer)).toEqual([65_533, 65_534, 65_535, 0, 1, 2, 3]);
    expect(countsOf(viewer)).toMatchObject({ received: 7, lost: 0, late: 2 });
  });

  test('one that does not come is waited for a fifth of a second, and counted', async () => {
    const viewer = await overUdp((connection) =>
      sendDatagrams(port(connection), datagrams([1, 2, 4, 5, 8, 9])),
    );
    await viewer.received(6);
    const [, , fourth] = viewer.packets[0] ?? [];
    expect(performance.now() - (fourth?.arrivedMs ?? 0)).toBeGreaterThan(180);
    expect(viewer.packets[0]?.map(({ lostBefore }) => lostBefore)).toEqual([0, 0, 1, 0, 2, 0]);
    expect(countsOf(viewer)).toMatchObject({ received: 6, lost: 3, late: 0 });
  });

  test('one that does not come holds up no more than 512 others', async () => {
    const sequences = Array.from({ length: 600 }, (_, index) => index + (index === 0 ? 0 : 1));
    const viewer = await overUdp((connection) => sendDatagrams(port(connection), datagrams(sequences)));
    await viewer.received(600);
    expect(sequencesOf(viewer)).toEqual(sequences);
    expect(countsOf(viewer)).toMatchObject({ lost: 1 });
  });

  test('a camera that begins to count anew, or as another source, is followed', async () => {
    const viewer = await overUdp((connection) =>
      sendDatagrams(port(connection), [...datagrams([30_000, 30_001, 5, 6]), ...datagrams([4, 5, 6], 77)]),
    );
    await viewer.received(7);
    expect(sequencesOf(viewer)).toEqual([30_000, 30_001, 5, 6, 4, 5, 6]);
    expect(countsOf(viewer)).toMatchObject({ lost: 0, late: 0 });
  });

  test('nothing is heard from another address', async () => {
    const viewer = await overUdp(async (connection) => {
      await sendDatagrams(port(connection), datagrams([1, 2, 3]), '127.0.0.2');
      await sendDatagrams(port(connection), datagrams([4]));
    });
    await viewer.received(1);
    expect(sequencesOf(viewer)).toEqual([4]);
  });

  test('a session that is closed before the answer to a SETUP keeps no port', async () => {
    let late: FakeAnswer | undefined;
    let ports: FakeConnection['clientPorts'] = [];
    const camera = await FakeCamera.start({
      sdp: videoAndAudio,
      answer: ({ method, url }, usual, connection) => {
        ports = connection.clientPorts;
        if (method === 'SETUP' && url.endsWith('trackID=1')) {
          late = usual;
          return [];
        }
        return method === 'TEARDOWN' && late ? [late, usual] : [usual];
      },
    });
    const session = await openSession(camera.url(), { transport: 'udp' });
    const setup = session.setup(session.tracks);
    await waitFor(() => late, 5000, 'the second SETUP');
    await session.close();
    expect(await setup).toMatchObject([{ transport: 'udp' }, { transport: 'udp' }]);
    expect(ports).toHaveLength(2);
    for (const each of ports.flat()) {
      const socket = createSocket('udp4').bind({ address: '127.0.0.1', port: each, exclusive: true });
      await once(socket, 'listening');
      socket.close();
    }
  });
});

describe('a transport that the camera does not have', () => {
  test.each([
    ['tcp', 'udp'],
    ['udp', 'tcp'],
  ] as const)('%s is exchanged for %s, with a word about it', async (asked, had) => {
    const camera = await FakeCamera.start({
      transports: [had],
      play: async (connection) => {
        if (had === 'udp') await sendDatagrams(port(connection), datagrams([1]));
        else await connection.send({ channel: 0, data: datagrams([1])[0] ?? Buffer.alloc(0) });
      },
    });
    const viewer = await view(camera.url(), { transport: asked });
    await viewer.received(1);
    expect(viewer.results).toMatchObject([{ transport: had }]);
    expect(viewer.logged).toEqual([`the camera does not send video over ${asked}; asking for ${had}`]);
  });

  test('is reported when there is no other', async () => {
    const camera = await FakeCamera.start({ transports: [] });
    const viewer = await view(camera.url());
    expect(viewer.results).toMatchObject([{ error: { code: 'unreachable', status: 461 } }]);
  });
});
