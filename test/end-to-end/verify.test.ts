import { spawn } from 'node:child_process';
import { appendFile, mkdir, open, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { atEnd } from '../support/cleanup.ts';
import { addFootage, began, pathOf, report, second } from '../support/footage.ts';
import { makeVideo, video } from '../support/pipeline-recorder.ts';
import { project } from '../support/project.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

type StorageAnswer = { readonly catalogue: { readonly state: string } };

/** What `npm run verify` does once everything is built. */
const entry = `import { verifyArchive } from ${JSON.stringify(join(project, 'dist/modules/actors/startup/verify-archive.js'))};
process.exitCode = await verifyArchive(process.argv.slice(1));`;

function verify({ folder }: Recorder, ...args: string[]) {
  const config = join(folder, 'configs', 'sentryshot.toml');
  const child = spawn(process.execPath, [
    ...['--input-type=module', '--eval', entry],
    ...['--', '--config', config, ...args],
  ]);
  atEnd(async () => void child.kill('SIGKILL'));
  const [lines, errors]: [string[], string[]] = [[], []];
  child.stdout.on('data', (data: Buffer) => lines.push(String(data)));
  child.stderr.on('data', (data: Buffer) => errors.push(String(data)));
  return new Promise<{ code: number | null; lines: string[]; errors: string }>((resolve) => {
    child.on('close', (code) =>
      resolve({ code, lines: lines.join('').trim().split('\n'), errors: errors.join('') }),
    );
  });
}

test('an archive is compared with its catalogue, which is repaired from the folder', async () => {
  const [recorder] = await Promise.all([startRecorder(), makeVideo()]);
  const { recordings: recordingsDir } = recorder;
  // Once the recorder has looked at its folder, it mends nothing by itself for the next five minutes.
  await waitFor(
    async () => (await recorder.get<StorageAnswer>('/api/storage')).catalogue.state === 'complete',
    60_000,
    'the first comparison of folder and catalogue',
  );
  const address = await readBusAddress(join(recorder.folder, 'storage', 'bus'));
  if (!address) throw new Error('there is no bus');
  const bus = await Bus.connect(address, 'test');
  atEnd(() => bus.close());
  const place = { bus, recordingsDir };
  const add = (minute: number, fragments = video.slice(0, 5)) =>
    addFootage(place, { start: began + minute * 60 * second, fragments });
  const path = (id: string) => pathOf(recordingsDir, id);
  const size = async (id: string) => (await readFile(path(id))).length;

  const whole = await add(0);
  const cut = await add(1);
  const damaged = await add(2);
  const [gone, empty] = [await add(3), await add(4)];
  const gap = await add(5, [...video.slice(0, 3), ...video.slice(5, 8)]);
  const killed = await add(6);
  const known = { monitorID: 'door', streams: [], reason: '', start: began + 420 * second };
  // A recorder that was killed: the last report is older than the file's end.
  const grown = killed.replace('46-12', '47-12');
  await writeFile(path(grown), await readFile(path(whole)));
  await report(bus, { ...known, id: grown, state: 'growing', end: known.start + second, bytes: 1000 });
  // The stream's next one.
  await add(8);
  const unlisted = killed.replace('46-12', '49-12');
  await writeFile(path(unlisted), await readFile(path(whole)));
  const [cutBytes, damagedBytes, wholeBytes] = [await size(cut), await size(damaged), await size(whole)];
  await truncate(path(cut), cutBytes - 100);
  const file = await open(path(damaged), 'r+');
  const moof = (await readFile(path(damaged))).lastIndexOf('moof') - 4;
  await file.write('XXXX', moof + 4);
  await file.close();
  await rm(path(gone));
  await truncate(path(empty), 0);
  // Neither is a recording.
  await writeFile(join(dirname(path(whole)), 'notes.mp4'), 'x');
  await mkdir(join(recordingsDir, 'other'), { recursive: true });
  const all = [whole, cut, damaged, empty, gap, killed, grown, killed.replace('46-12', '48-12'), unlisted];
  for (const id of all) await utimes(path(id), 1_700_000_000, 1_700_000_000);

  const emptyBytes = wholeBytes;
  const unplayable = [
    expect.stringMatching(
      `^${cut} is cut off: its last \\d+ bytes are no whole fragment, the \\d+ bytes before play$`,
    ),
    `${cut} has ${cutBytes - 100} bytes, ${cutBytes} in the catalogue`,
    expect.stringMatching(
      `^${damaged} is damaged (at byte ${moof}|from byte ${moof} of ${damagedBytes} on)$`,
    ),
    `${empty} is empty`,
    `${empty} has 0 bytes, ${emptyBytes} in the catalogue`,
    expect.stringMatching(`^${gap} has a gap of \\d\\.\\d s after \\d\\.\\d s$`),
  ];
  const differences = [
    `${gone} is in the catalogue, but has no file`,
    `${grown} has ${wholeBytes} bytes, 1000 in the catalogue`,
    `${unlisted} is not in the catalogue`,
  ];
  const findings = [
    ...unplayable.slice(0, 3),
    differences[0],
    ...unplayable.slice(3),
    ...differences.slice(1),
  ];
  const summary = (count: number) => `9 recordings (0.0 GB): ${count} findings`;
  const running = await verify(recorder);
  expect(running).toEqual({ code: 1, lines: [...findings, summary(9)], errors: '' });

  const repaired = await verify(recorder, '--repair');
  expect(repaired.code).toBe(1);
  expect(repaired.lines.at(-1)).toBe('4 of 9 findings repaired in the catalogue');
  const recordings = await recorder.get<{ id: string; video: unknown }[]>(
    '/api/recording/query?monitors=door&limit=50',
  );
  const [found] = recordings.filter(({ id }) => id === unlisted);
  const [like] = recordings.filter(({ id }) => id === whole);
  expect(found?.video).toEqual(like?.video);
  expect(recordings.map(({ id }) => id)).not.toContain(gone);

  // Without those that do not play all is well.
  for (const id of [cut, damaged, empty, gap]) await rm(path(id));
  // Somebody puts the file back whose loss was reported.
  await writeFile(path(gone), await readFile(path(whole)));
  await utimes(path(gone), 1_700_000_000, 1_700_000_000);
  const last = await verify(recorder, '--repair');
  expect(last.lines.at(-1)).toBe('5 of 5 findings repaired in the catalogue');
  expect(last.code).toBe(0);
  const clean = { code: 0, lines: ['6 recordings (0.0 GB): nothing found'], errors: '' };
  expect(await verify(recorder)).toEqual(clean);

  // A disk that is not mounted.
  await rename(recordingsDir, `${recordingsDir}-aside`);
  const unmounted = await verify(recorder, '--repair');
  expect(unmounted.errors).toMatch(/has no recordings\. Is its disk mounted\?$/m);
  expect(await recorder.get<unknown[]>('/api/recording/query?limit=50')).toHaveLength(6);
  await rename(`${recordingsDir}-aside`, recordingsDir);

  await recorder.stop();
  await appendFile(path(whole), 'x'.repeat(100));
  expect(await verify(recorder)).toEqual({
    code: 1,
    lines: [
      `${whole} is damaged from byte ${wholeBytes} of ${wholeBytes + 100} on`,
      `${whole} has ${wholeBytes + 100} bytes, ${wholeBytes} in the catalogue`,
      '6 recordings (0.0 GB): 2 findings',
    ],
    errors: '',
  });
  const refused = await verify(recorder, '--repair');
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/^--repair needs the running recorder/);
}, 120_000);
