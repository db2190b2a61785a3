import { spawnSync } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { expect, test } from 'vitest';
import { placeOf, type ServicePlace, serviceUnit } from '../../../actors/service/service-unit.ts';
import { mainAllocator } from '../../../bus/children/host-process.ts';
import { startChild } from '../../support/child.ts';
import { datagramsAt } from '../../support/datagrams.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { project } from '../../support/project.ts';
import { waitFor } from '../../support/wait.ts';

const place: ServicePlace = {
  user: 'sentrybus',
  node: '/usr/bin/node',
  project: '/opt/sentrybus',
  configFile: '/var/lib/sentrybus/configs/sentryshot.toml',
  configDir: '/var/lib/sentrybus/configs',
  storageDir: '/var/lib/sentrybus/storage',
  workingDir: '/var/lib/sentrybus',
  mediaDir: '/var/lib/sentrybus/storage/media',
  port: 2020,
  isTieBreaker: false,
};
const linesOf = (changed: Partial<ServicePlace>) => serviceUnit({ ...place, ...changed }).split('\n');

test('paths of the unit mean themselves, and only its own folders can be written', () => {
  const odd = '/srv/50% "of" $HOME\\x';
  const lines = linesOf({ configFile: `${odd}/s.toml`, storageDir: odd, port: 443 });
  expect(lines).toContain('ReadWritePaths=-"/srv/50%% \\"of\\" $HOME\\\\x"');
  expect(lines.find((line) => line.startsWith('ExecStart='))).toMatch(
    /"\/srv\/50%% \\"of\\" \$\$HOME\\\\x\/s\.toml"$/,
  );
  expect(placeOf(lines.join('\n'))).toEqual({
    project: place.project,
    configFile: `${odd}/s.toml`,
    workingDir: place.workingDir,
    isTieBreaker: false,
  });
  expect(lines).toContain('AmbientCapabilities=CAP_NET_BIND_SERVICE');
  expect(linesOf({}).filter((line) => /^(ReadWrite|Bind|Ambient)/.test(line))).toEqual([]);
  expect(() => linesOf({ storageDir: '/srv/a\nUser=root' })).toThrow(RangeError);
});

test('a machine that only votes is started as one, and is not asked to read anything again', () => {
  const lines = linesOf({ isTieBreaker: true, port: 0 });
  expect(lines.find((line) => line.startsWith('ExecStart='))).toMatch(/ "--tie-breaker"$/);
  expect(lines.filter((line) => line.startsWith('ExecReload='))).toEqual([]);
  expect(placeOf(lines.join('\n'))).toMatchObject({ configFile: place.configFile, isTieBreaker: true });
});

test('main keeps little memory that it has freed, started by hand or by systemd', async () => {
  const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
  for (const [name, value] of Object.entries(mainAllocator)) {
    expect(scripts.start.split(' ')).toContain(`${name}=${value}`);
    expect(linesOf({}).find((line) => line.startsWith('Environment='))).toMatch(
      RegExp(`[= ]${name}=${value}( |$)`),
    );
  }
});

test('of the homes of people it sees what it needs', () => {
  const home = '/home/ada/sentrybus';
  const lines = linesOf({
    project: home,
    configFile: `${home}/configs/s.toml`,
    configDir: `${home}/configs`,
  });
  expect(lines.filter((line) => /^(ReadWrite|Bind|ProtectHome)/.test(line))).toEqual([
    'ProtectHome=tmpfs',
    `BindReadOnlyPaths=-"${home}"`,
    `BindPaths=-"${home}/configs"`,
  ]);
});

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

test.runIf(hasAnalyze)('systemd finds no fault in the unit, and little exposure', async () => {
  const file = join(await temporaryFolder(), 'sentrybus.service');
  await writeFile(file, serviceUnit({ ...place, node: process.execPath, project }));
  const verify = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  expect(verify.stderr.split('\n').filter((line) => line.includes('sentrybus.service'))).toEqual([]);
  const { status } = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', file]);
  expect(status).toBe(0);
});

/**
 * The unit's command as systemd would run it: without capabilities, in a file system that it cannot write but for its folders,
 * with sockets for its state and its log.
 */
const script = `
set -e
folder=$1; shift
mount --bind "$folder/state" "$folder/state"
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal
mount --bind "$folder/sockets" /run/systemd/journal
mount -o remount,bind,ro /
exec 3>&1
JOURNAL_STREAM=$(stat --dereference --format %d:%i /proc/self/fd/3)
export JOURNAL_STREAM
exec 3>&-
exec setpriv --reuid="$OWNER" --regid="$OWNER" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
`;

const mayMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

test.runIf(mayMount)(
  'under the restrictions of the unit the recorder serves, and systemd hears of it',
  async () => {
    const folder = await temporaryFolder();
    const state = join(folder, 'state');
    const sockets = join(folder, 'sockets');
    const configs = join(state, 'configs');
    await mkdir(configs, { recursive: true });
    await mkdir(sockets);
    const owner = ownerWhoReads(project);
    for (const path of [folder, state, configs]) await chown(path, owner, owner);
    const configFile = join(configs, 'sentryshot.toml');
    const storageDir = join(state, 'storage');
    await writeFile(
      configFile,
      stringify({
        host: '127.0.0.1',
        port: 0,
        storage_dir: storageDir,
        debug_log_stdout: true,
        plugin: [{ name: 'auth_basic', enable: true }],
      }),
    );
    const notices = datagramsAt(join(sockets, 'notify'), owner);
    const journal = datagramsAt(join(sockets, 'socket'), owner);

    const unit = serviceUnit({
      ...place,
      node: process.execPath,
      project,
      configFile,
      configDir: configs,
      storageDir,
    });
    const command =
      /^ExecStart=(.*)$/m
        .exec(unit)?.[1]
        ?.match(/(?<=")[^"]+(?=")/g)
        ?.filter((word) => word !== ' ') ?? [];
    const child = startChild('unshare', ['--mount', 'sh', '-c', script, 'sh', folder, ...command], {
      cwd: state,
      env: {
        OWNER: String(owner),
        HOME: state,
        NOTIFY_SOCKET: '/run/systemd/journal/notify',
        WATCHDOG_USEC: '400000',
        SENTRYBUS_ADMIN_PASSWORD: 'correct horse battery staple',
      },
    });
    await child.line(/^Serving https/, 60_000);
    await waitFor(() => notices.filter((text) => text === 'WATCHDOG=1').length >= 2, 10_000, 'the watchdog');
    expect(notices[0]).toMatch(/^READY=1\nSTATUS=Serving https:\/\/127\.0\.0\.1:\d+$/);

    const serving = journal.find((message) => message.includes('serving https'));
    expect(fields(serving ?? '')).toMatchObject({
      PRIORITY: '6',
      LEVEL: 'info',
      SOURCE: 'app',
      SYSLOG_IDENTIFIER: 'sentrybus',
    });
    expect(child.lines.filter((line) => line.startsWith('['))).toEqual([]);
    child.signal('SIGTERM');
    expect(await child.exited).toBe(0);
    expect(notices.at(-1)).toBe('STOPPING=1');
    expect(await readFile(join(storageDir, 'storage-id'), 'utf8')).not.toBe('');
  },
);

/** The unprivileged user, or root where that one may not read the clone. */
function ownerWhoReads(path: string): number {
  const nobody = 65_534;
  const args = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', 'ls', join(path, 'dist')];
  return spawnSync('setpriv', args).status === 0 ? nobody : 0;
}

/** The fields of a message of the journal's protocol: name, line break, eight bytes of length, value, line break. */
function fields(message: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < message.length; ) {
    const name = message.slice(at, message.indexOf('\n', at));
    const start = at + name.length + 9;
    const length = Number(Buffer.from(message.slice(start - 8, start), 'latin1').readBigUInt64LE());
    found[name] = message.slice(start, start + length);
    at = start + length + 1;
  }
  return found;
}
