import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../bus/base/files.ts';
import { randomText } from '../../bus/base/random.ts';

/** Made once for a storage folder and kept there: names this recorder among others on the same MQTT broker. */
export async function installationId(storageDir: string): Promise<string> {
  const file = join(storageDir, 'installation-id');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (/^sentrybus-\w{22}$/.test(known)) return known;
  const id = `sentrybus-${randomText(22)}`;
  await writeAtomically(file, id);
  return id;
}
