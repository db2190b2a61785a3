import { dirname, join } from 'node:path';
import { mainAllocator } from '../../bus/children/host-process.ts';
import { stopDeadlinesMs } from '../../bus/children/stop-deadlines.ts';

/** What differs between installations. Paths are absolute. */
export interface ServicePlace {
  readonly user: string;
  /** The program Node.js. */
  readonly node: string;
  /** The clone; it must be built. */
  readonly project: string;
  readonly configFile: string;
  readonly configDir: string;
  readonly storageDir: string;
  /** Against which the configuration's relative paths are resolved. */
  readonly workingDir: string;
  /** With the files that monitors play. */
  readonly mediaDir: string;
  /** Of the web server. */
  readonly port: number;
  /** Whether it only votes in a cluster. */
  readonly isTieBreaker: boolean;
}

export const serviceName = 'sentrybus';
export const unitFile = `/etc/systemd/system/${serviceName}.service`;
/** The user's home: systemd makes it and lets the service write there. */
export const stateDir = `/var/lib/${serviceName}`;

const homes = ['/home', '/root', '/run/user'];

/**
 * The unit: the recorder may write its own folders and nothing else, and gains no right. JavaScript is compiled while it
 * runs, so `MemoryDenyWriteExecute` is the one common restriction that is missing.
 *
 * @throws {RangeError} if a path has characters that have no place in a unit.
 */
export function serviceUnit(place: ServicePlace): string {
  const { user, node, project, configFile, configDir, storageDir, workingDir, mediaDir, port } = place;
  const { isTieBreaker } = place;
  const written = [configDir, storageDir].filter((folder) => !isBelow(folder, stateDir));
  const read = [dirname(dirname(node)), project, workingDir, dirname(configFile), mediaDir].filter(
    (folder) => isInHome(folder) && !written.some((other) => isBelow(folder, other)),
  );
  const [writtenInHomes, writtenElsewhere] = [
    written.filter(isInHome),
    written.filter((path) => !isInHome(path)),
  ];
  const role = isTieBreaker ? ['--tie-breaker'] : [];
  const command = [node, join(project, 'setup.mjs'), 'serve', '--config', configFile, ...role].map(
    commandWord,
  );
  const environment = Object.entries(mainAllocator)
    .map((each) => each.join('='))
    .join(' ');
  const lines = (key: string, paths: readonly string[]) =>
    paths.map((path) => `${key}=-${word(path)}\n`).join('');
  return `# Written by \`npm run service -- install\`, which replaces it.
[Unit]
Description=${isTieBreaker ? 'Sentrybus tie-breaker' : 'Sentrybus network video recorder'}
After=network.target
# It never gives up: a disk that is mounted late is waited for.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=${command.join(' ')}
Environment=${environment}
${isTieBreaker ? '' : 'ExecReload=/bin/kill -HUP $MAINPID\n'}Restart=always
RestartSec=5
TimeoutStartSec=300
TimeoutStopSec=${stopDeadlinesMs.recorder / 1000 + 10}
# It stops its own processes in order.
KillMode=mixed
WatchdogSec=60
WatchdogSignal=SIGKILL
# One process of many that the kernel ends is started again by the recorder.
OOMPolicy=continue
LimitNOFILE=65536

User=${user}
Group=${user}
UMask=0027
StateDirectory=${serviceName}
StateDirectoryMode=0750
WorkingDirectory=${workingDir.replaceAll('%', '%%')}

ProtectSystem=strict
ProtectHome=tmpfs
${lines('BindReadOnlyPaths', read)}${lines('BindPaths', writtenInHomes)}${lines('ReadWritePaths', writtenElsewhere)}PrivateTmp=true
PrivateDevices=true
NoNewPrivileges=true
CapabilityBoundingSet=${port > 0 && port < 1024 ? 'CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE' : ''}
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
RemoveIPC=true
LockPersonality=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** What a unit of {@link serviceUnit} runs. */
export interface RunningPlace
  extends Pick<ServicePlace, 'project' | 'configFile' | 'workingDir' | 'isTieBreaker'> {}

/** @returns undefined if the unit is not one of {@link serviceUnit}. */
export function placeOf(unit: string): RunningPlace | undefined {
  const [, command = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  const words = [...command.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, quoted = '']) =>
    quoted.replaceAll('$$', '$').replaceAll('%%', '%').replace(/\\(.)/g, '$1'),
  );
  const [, program, , , configFile, role] = words;
  const [, workingDir] = /^WorkingDirectory=(.*)$/m.exec(unit) ?? [];
  if (program === undefined || configFile === undefined || workingDir === undefined) return undefined;
  return {
    project: dirname(program),
    configFile,
    workingDir: workingDir.replaceAll('%%', '%'),
    isTieBreaker: role === '--tie-breaker',
  };
}

const isInHome = (path: string) => homes.some((home) => isBelow(path, home));

const isBelow = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** In quotes; `%` begins a specifier. */
function word(text: string): string {
  if (/\p{Cc}/u.test(text))
    throw new RangeError(`${JSON.stringify(text)}: expected a path without control characters`);
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`;
}

/** As {@link word}; in a command, `$` begins a variable as well. */
const commandWord = (text: string) => word(text).replaceAll('$', '$$$$');
