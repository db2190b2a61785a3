import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import { isAlive } from './processes.ts';

/** Where a program runs that has a network of its own. */
export interface Place {
  /** What its command line begins with. */
  readonly command: readonly string[];
  /** The address of this process that leads to one there. */
  reach(url: string): Promise<string>;
}

const owner = /^sb(\d+)-/;
const folder = '/run/netns';
/** Nobody has it, so what is sent to it is lost. */
const nobody = '02:00:00:00:00:01';

/** What the machines say to each other, the cameras, and the house: its broker. */
const switches = ['site', 'cameras', 'house'] as const;
export type Switch = (typeof switches)[number];

/** A place with one address for others. */
export type Host = Place & { readonly address: string };

/**
 * Machines in network namespaces of this computer, each with a cable to three switches. All addresses are of 127.0.0.0/8. Needs
 * root and `ip`.
 */
export class Lab {
  /** Where cameras run. */
  readonly cameras: Host;
  /** Where a broker runs. */
  readonly house: Host;
  readonly #addresses: readonly string[];

  private constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
    const host = (name: Switch) => ({ ...place('switch'), address: hostAddress(addresses, name) });
    [this.cameras, this.house] = [host('cameras'), host('house')];
  }

  /** @param addresses of the machines, in one network of 256 addresses. Everything is gone when the test is over. */
  static open(addresses: readonly string[]): Lab {
    for (const name of namespaces().filter((each) => !isAlive(Number(owner.exec(each)?.[1]))))
      ip('netns', 'del', name);
    atEnd(async () => {
      for (const name of namespaces().filter((each) => each.startsWith(prefix()))) ip('netns', 'del', name);
    });
    addNamespace('switch');
    for (const name of switches) {
      inside('switch', 'link', 'add', name, 'type', 'bridge');
      inside('switch', 'link', 'set', name, 'up');
      if (name !== 'site') inside('switch', 'addr', 'add', `${hostAddress(addresses, name)}/24`, 'dev', name);
    }
    for (const [index, address] of addresses.entries()) {
      addNamespace(String(index));
      for (const name of switches)
        addCable(index, name, name === 'site' ? address : addressIn(name, address, index + 1));
    }
    return new Lab(addresses);
  }

  /** Where the machine of this number runs. */
  machine(index: number): Place {
    return place(String(index));
  }

  /** Pulls a machine's cable out of a switch. */
  pull(index: number, from: Switch): void {
    inside('switch', 'link', 'set', port(index, from), 'nomaster');
  }

  plugIn(index: number, into: Switch): void {
    inside('switch', 'link', 'set', port(index, into), 'master', into);
  }

  /** What a machine sends to another one is lost, while it hears the other's. */
  mute(from: number, to: number): void {
    const permanent = ['lladdr', nobody, 'dev', 'site', 'nud', 'permanent'];
    inside(String(from), 'neigh', 'replace', this.#addresses[to] ?? '', ...permanent);
  }

  unmute(from: number, to: number): void {
    inside(String(from), 'neigh', 'del', this.#addresses[to] ?? '', 'dev', 'site');
  }
}

const prefix = () => `sb${process.pid}-`;
/** The folder is made with a computer's first namespace. */
const namespaces = () => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => owner.test(name));
const port = (index: number, name: Switch) => `${name}${index}`;
const addressIn = (name: Switch, address: string, host: number) =>
  address.replace(/\.\d+\.\d+$/, `.${switches.indexOf(name)}.${host}`);
const hostAddress = ([first = '']: readonly string[], name: Switch) => addressIn(name, first, 254);

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 });
}

const inside = (name: string, ...args: readonly string[]) => ip('-n', prefix() + name, ...args);

/** The kernel keeps 127.0.0.0/8 to the loopback interface unless it is told otherwise. */
function addNamespace(name: string): void {
  ip('netns', 'add', prefix() + name);
  inside(name, 'link', 'set', 'lo', 'up');
  inside(name, 'addr', 'del', '127.0.0.1/8', 'dev', 'lo');
  inside(name, 'addr', 'add', '127.0.0.1/32', 'dev', 'lo');
  const [command = '', ...args] = place(name).command;
  execFileSync(command, [...args, 'sysctl', '-qw', 'net.ipv4.conf.all.route_localnet=1'], {
    timeout: 10_000,
  });
}

function addCable(index: number, bridge: Switch, address: string): void {
  const [machine, end] = [String(index), port(index, bridge)];
  const there = ['type', 'veth', 'peer', 'name', end, 'netns', `${prefix()}switch`];
  inside(machine, 'link', 'add', bridge, ...there);
  inside('switch', 'link', 'set', end, 'master', bridge, 'up');
  inside(machine, 'addr', 'add', `${address}/24`, 'dev', bridge);
  inside(machine, 'link', 'set', bridge, 'up');
}

function place(name: string): Place {
  const command = ['nsenter', `--net=${join(folder, prefix() + name)}`];
  return { command, reach: (url) => reach(command, url) };
}

/** Files are the same in every network namespace, and so are the sockets that are files. */
async function reach(command: readonly string[], url: string): Promise<string> {
  const far = new URL(url);
  const socket = join(await temporaryFolder(), 'door');
  const program = `const { createConnection, createServer } = require('node:net');
    createServer((near) => {
      const far = createConnection(${Number(far.port)}, ${JSON.stringify(far.hostname)});
      near.pipe(far).pipe(near);
      for (const side of [near, far]) side.on('error', () => { near.destroy(); far.destroy(); });
    }).listen(${JSON.stringify(socket)}, () => console.log('open'));`;
  const [first = '', ...rest] = command;
  await startChild(first, [...rest, 'node', '--eval', program]).line(/^open$/);
  const server = createServer((near) => {
    const there = createConnection(socket);
    near.pipe(there).pipe(near);
    for (const side of [near, there])
      side.on('error', () => {
        near.destroy();
        there.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => void server.close());
  const { port: near } = server.address() as AddressInfo;
  return Object.assign(far, { hostname: '127.0.0.1', port: String(near) }).href.replace(/\/$/, '');
}
