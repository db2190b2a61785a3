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

/** Debian's archive is not reached, or this is no Debian. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

let finding: Promise<string> | undefined;

/**
 * @returns the folder to be put into PATH before the others.
 * @throws {ArchiveError} if there is none in the cache.
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
    'Acquire::Retries': '0',
    'Acquire::http::Timeout': '20',
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
  };
  const own = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt = (...command: string[]) => run('apt-get', [...own, ...command], { cwd: work });
  await apt('update').catch((cause: Error & { stderr?: string }) => {
    const reason = cause.stderr?.trim() || cause.message;
    throw new ArchiveError(`no newer nats-server from Debian's archive: ${reason}`, { cause });
  });
  const isThere = await apt('download', `nats-server=${known.version}`).then(
    () => true,
    () => false,
  );
  if (!isThere) await apt('download', 'nats-server');
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
