import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { detectors } from '../../actors/detectors/host/detector-list.ts';
import { Monitors } from '../../store/monitors/monitors.ts';
import { temporaryFolder } from './folder.ts';

export const monitor = (fields: object = {}) => ({
  id: 'one',
  name: 'Front door',
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://admin:hunter2@camera.example:554/main' },
  ...fields,
});
export const rtsp = (mainStream: unknown, rest: object = {}) =>
  monitor({ sourcertsp: { protocol: 'tcp', mainStream, ...rest } });

export const zone = { enable: true, sensitivity: 8, thresholdMin: 10, thresholdMax: 100, area: [[1, 2]] };
export const motion = { enable: true, feedRate: 2, duration: 120, zones: [zone] };

/** Opens a folder where these files stand; a value that is no text is written as JSON. */
export async function openWith(files: Record<string, unknown> = {}, mediaDir?: string) {
  const folder = await temporaryFolder();
  const monitorsFolder = join(folder, 'monitors');
  await mkdir(monitorsFolder);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(
      join(monitorsFolder, name),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
  const options = { detectors, ...(mediaDir !== undefined && { mediaDir }) };
  const open = () => Monitors.open(folder, options);
  return { folder: monitorsFolder, monitors: await open(), open };
}
