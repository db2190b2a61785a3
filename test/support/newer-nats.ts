import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * A nats-server that may carry a cluster, from Debian unstable, kept in the user's cache folder; nothing is installed.
 *
 * The known version is checked by its digest. When unstable has gone on to another one, that is taken as apt finds it: by
 * the digest in the index, which Debian's key has signed.
 */
const known = {
  version: '2.15.1-1',
  digest: '31ef4ceaa84e8248d449e508472e3770c17c3695cb5cb0ee96e03912724ea884',
} as const;

const run = promisify(execFile);
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sentrybus');
const folder = join(cache, `nats-server-${known.version}`);

let finding: Promise<string> | undefined;

/**
 * @returns the folder to be put into PATH before the others.
 * @throws if there is none in the cache and Debian's archive is not reached.
 */
export function newerNatsServer(): Promise<string> {
  finding ??= find();
  return finding;
}

async function find(): Promise<string> {
  const programs = join(folder, 'usr/sbin');
  if (existsSync(programs)) return programs;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'making-'));
  try {
    const archive = await download(work);
    await run('dpkg-deb', ['--extract', archive, join(work, 'unpacked')]);
    await rename(join(work, 'unpacked'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return programs;
}

/** With lists of its own, so that the system's package sources stay as they are. */
async function download(work: string): Promise<string> {
  console.log(`Debian's nats-server ${known.version}: downloading …`);
  const sources = `Types: deb
URIs: http://deb.debian.org/debian
Suites: sid
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;
  await writeFile(join(work, 'sid.sources'), sources);
  for (const path of ['lists/partial', 'cache/archives/partial', 'parts']) {
    await mkdir(join(work, path), { recursive: true });
  }
  const options = {
    'Dir::Etc::SourceList': join(work, 'sid.sources'),
    'Dir::Etc::SourceParts': join(work, 'parts'),
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': 'root',
  };
  const own = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...own, 'update'], { cwd: work });
  const isThere = await run('apt-get', [...own, 'download', `nats-server=${known.version}`], {
    cwd: work,
  }).then(
    () => true,
    () => false,
  );
  if (!isThere) await run('apt-get', [...own, 'download', 'nats-server'], { cwd: work });
  const name = (await readdir(work)).find((file) => file.endsWith('.deb')) ?? '';
  const archive = join(work, name);
  const digest = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  if (isThere && process.arch === 'x64' && digest !== known.digest) {
    throw new Error(`${name} is not the known one: sha256 ${digest}`);
  }
  return archive;
}
