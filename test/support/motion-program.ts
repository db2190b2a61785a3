import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { temporaryFolder } from './folder.ts';

export interface MotionProgram extends Pick<Child, 'lines' | 'stop'> {
  /** When its script ran at the beginning of an event: the number of the camera, from 1, and Unix time in microseconds. */
  starts(): Promise<readonly (readonly [camera: number, timeUs: number])[]>;
}

/**
 * The program `motion` (Debian's package of that name), which looks for movement and runs a script when it sees some. It
 * looks more often than the streams have a picture, without which it stays behind them by what came while it looked for
 * their format; it writes no files, and an event is over after a second.
 */
export async function startMotionProgram(urls: readonly string[]): Promise<MotionProgram> {
  const folder = await temporaryFolder();
  const file = (name: string) => join(folder, name);
  await writeFile(file('event.sh'), `#!/bin/sh\necho "$1 $(date +%s%6N)" >> ${file('starts')}\n`, {
    mode: 0o755,
  });
  await writeFile(file('starts'), '');
  const settings = [
    ...['movie_output off', 'pre_capture 0', 'width 640', 'height 480', 'framerate 30'],
    ...['netcam_params capture_rate=30', 'minimum_motion_frames 1', 'event_gap 1'],
    `on_event_start ${file('event.sh')} %t`,
  ];
  const cameras = urls.map((url) => [`netcam_url ${url}`]);
  const { lines, stop } = await launch(folder, settings, cameras);
  return {
    lines,
    stop,
    async starts() {
      const written = (await readFile(file('starts'), 'utf8')).trim().split('\n');
      return written
        .filter((line) => line !== '')
        .map((line) => {
          const [camera, timeUs] = line.split(' ').map(Number);
          return [camera ?? 0, timeUs ?? 0] as const;
        });
    },
  };
}

/** The same program, which records one stream of each camera as it comes, and looks 5 times a second at one of them. */
export async function startMotionRecorder(
  cameras: readonly { readonly recorded: string; readonly watched: string }[],
): Promise<Child> {
  const settings = ['framerate 5', 'movie_output on', 'movie_passthrough on', 'emulate_motion on'];
  const streams = cameras.map(({ recorded, watched }) => [
    `netcam_url ${watched}`,
    ...(watched === recorded ? [] : [`netcam_high_url ${recorded}`]),
  ]);
  return launch(await temporaryFolder(), [...settings, 'movie_max_time 60'], streams);
}

/** @param cameras the settings of each */
async function launch(
  folder: string,
  settings: readonly string[],
  cameras: readonly (readonly string[])[],
): Promise<Child> {
  const file = (name: string) => join(folder, name);
  await mkdir(file('target'));
  const common = [
    ...['daemon off', 'setup_mode off', 'webcontrol_port 0', 'stream_port 0', 'log_level 5'],
    ...[`target_dir ${file('target')}`, 'picture_output off'],
  ];
  const files = await Promise.all(
    cameras.map(async (camera, n) => {
      const lines = [`camera_id ${n + 1}`, `camera_name street${n}`, ...camera];
      await writeFile(file(`camera${n}.conf`), `${lines.join('\n')}\n`);
      return `camera ${file(`camera${n}.conf`)}`;
    }),
  );
  await writeFile(file('motion.conf'), `${[...common, ...settings, ...files].join('\n')}\n`);
  return startChild('motion', ['-n', '-c', file('motion.conf')], { cwd: folder });
}
