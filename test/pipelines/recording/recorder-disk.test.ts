import { execFile } from 'node:child_process';
import { type FileHandle, mkdir, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import {
  began,
  bytesOf,
  files,
  makeVideo,
  moved,
  second,
  startRecorder,
  timed,
} from '../../support/pipeline-recorder.ts';
import { decode, probe } from '../../support/probe.ts';
import { project } from '../../support/project.ts';
import { waitFor } from '../../support/wait.ts';

beforeAll(makeVideo);

describe('a recorder whose disk fails', () => {
  test('says so once, tries again at each key frame, and says what was lost', async () => {
    const { recorder, recordingsDir, reports, troubles, messages } = await startRecorder({
      alwaysRecord: true,
    });
    // A disk without space.
    await mkdir(recordingsDir, { recursive: true });
    const part = join(recordingsDir, `.door_main.${process.pid}.part`);
    for (const [index, fragment] of timed().entries()) {
      if (index < 10) {
        await symlink('/dev/full', `${part}.full`);
        await rename(`${part}.full`, part);
      } else if (index === 10) {
        await rm(part, { force: true });
      }
      recorder.push(fragment);
      // One fragment after the other, as they come from a camera.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await recorder.close();
    expect(messages()).toEqual([
      'error: cannot record: no space left on the disk',
      'info: starting recording: 2026-11-23_03-40-22_door',
      'warning: recording again, 10.0 s were lost',
      'info: recording saved: 2026-11-23_03-40-22_door',
    ]);
    expect(reports).toEqual(['2026-11-23_03-40-22_door', null]);
    expect(troubles).toEqual(['cannot record: no space left on the disk', null]);
    const [path = ''] = await files(recordingsDir);
    expect((await probe(path)).packets).toHaveLength(300);
  });

  test('records where the file system cannot flush a folder', async () => {
    const handle = await open(join(await temporaryFolder(), 'any'), 'w');
    const methods = Object.getPrototypeOf(handle) as Pick<FileHandle, 'sync'>;
    await handle.close();
    const sync = vi
      .spyOn(methods, 'sync')
      .mockRejectedValue(Object.assign(new Error('invalid argument'), { code: 'EINVAL' }));
    atEnd(async () => void sync.mockRestore());
    const { recorder, recordingsDir, messages } = await startRecorder({ alwaysRecord: true });
    for (const fragment of timed()) recorder.push(fragment);
    await recorder.close();
    expect(sync).toHaveBeenCalled();
    const id = '2026-11-23_03-40-12_door';
    expect(messages()).toEqual([`info: starting recording: ${id}`, `info: recording saved: ${id}`]);
    const [path = ''] = await files(recordingsDir);
    expect((await probe(path)).packets).toHaveLength(400);
  });

  test('leaves what was written before, and goes on in another file', async () => {
    const { recorder, recordingsDir, reports, messages } = await startRecorder({
      alwaysRecord: true,
      videoLength: 4000,
    });
    const fragments = timed();
    for (const fragment of fragments.slice(0, 4)) recorder.push(fragment);
    await waitFor(() => reports[0], 5000, 'the first recording');
    // The folder of the day becomes a file while the next recording is due.
    const day = join(recordingsDir, '2026/11/23');
    const aside = join(recordingsDir, 'aside');
    await promisify(execFile)('mv', [day, aside]);
    await writeFile(day, '');
    for (const fragment of fragments.slice(4, 8)) recorder.push(fragment);
    await waitFor(() => messages().some((message) => message.startsWith('error')), 5000, 'an error');
    await rm(day);
    for (const fragment of fragments.slice(8)) recorder.push(fragment);
    await recorder.close();
    expect(messages().filter((message) => message.startsWith('error'))).toHaveLength(1);
    expect((await probe((await files(aside))[0] ?? '')).packets).toHaveLength(40);
    const later = (await files(day)).map(async (path) => (await probe(path)).packets.length);
    expect((await Promise.all(later)).reduce((sum, count) => sum + count, 0)).toBe(320);
  });

  test('leaves whole fragments when the disk is full in the middle of one', async () => {
    const folder = await temporaryFolder();
    const stored = join(folder, 'fragments');
    const fragments = timed().slice(0, 10);
    await writeFile(stored, serialize(fragments));
    // A process that may write no file beyond some size, in the middle of the sixth fragment.
    const head = fragments[0]?.layout.init.length ?? 0;
    const whole = fragments.slice(0, 5).reduce((sum, fragment) => sum + bytesOf(fragment), head);
    const script = `
      import { readFileSync } from 'node:fs';
      import { deserialize } from 'node:v8';
      import { RecordingFile } from '${project}/dist/modules/pipelines/recording/recording-file.js';
      process.on('SIGXFSZ', () => {});
      const fragments = deserialize(readFileSync('${stored}'));
      const place = { recordingsDir: '${folder}/recordings', monitorID: 'door', stream: 'main' };
      const file = await RecordingFile.create(place, [fragments[0]], { offsetUs: 0, machine: { startedUs: 0, boot: '' } });
      try {
        for (const fragment of fragments.slice(1)) await file.append([fragment]);
      } catch (error) {
        console.log(error.message);
      }
      await file.close();`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    const limited = await promisify(execFile)('prlimit', [`--fsize=${whole + 1000}`, ...node]);
    expect(limited.stdout).toBe('the disk took only a part of a fragment\n');
    const [path = ''] = await files(join(folder, 'recordings'));
    expect(await decode(path)).toEqual({ frames: 50, errors: '' });
    expect((await readFile(path)).length).toBe(whole);
  });

  test('holds a bounded amount while it is too slow, and records again when it is not', async () => {
    const { recorder, recordingsDir, messages } = await startRecorder({ alwaysRecord: true });
    await mkdir(recordingsDir, { recursive: true });
    // Opening a pipe takes until somebody reads from it.
    const part = join(recordingsDir, `.door_main.${process.pid}.part`);
    await promisify(execFile)('mkfifo', [part]);
    const filler = Buffer.alloc(1024 * 1024);
    for (let round = 0; round < 10; round += 1) {
      for (const fragment of timed(began + round * 40 * second)) {
        const later = moved(fragment, round * 40);
        const [first, ...others] = later.video;
        if (!first) throw new Error('an empty fragment');
        // Padding at the end of a picture is left out when it is decoded.
        const large = { ...first, data: Buffer.concat([first.data, filler]) };
        recorder.push({ ...later, video: [large, ...others], bytes: fragment.bytes + filler.length });
        expect(recorder.bytes).toBeLessThanOrEqual(115 * 1024 * 1024);
      }
    }
    expect(messages()).toEqual(['error: cannot record: the disk is too slow']);
    await promisify(execFile)('dd', [`if=${part}`, 'of=/dev/null', 'status=none']);
    // What was waiting is lost with the pipe, which is no disk; the pre-roll is not.
    await waitFor(() => recorder.bytes < 64 * 1024 * 1024, 10_000, 'the queue');
    for (const fragment of timed(began + 400 * second)) {
      recorder.push(moved(fragment, 400));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await recorder.close();
    expect(messages().filter((message) => message.startsWith('error'))).toHaveLength(1);
    expect(messages().some((message) => /^warning: recording again, \d+\.0 s were lost$/.test(message))).toBe(
      true,
    );
    const paths = (await files(recordingsDir)).filter((path) => !path.endsWith('.part'));
    expect((await probe(paths.at(-1) ?? '')).packets.length).toBeGreaterThanOrEqual(400);
  });
});
