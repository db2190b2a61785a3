import { readdirSync, readFileSync } from 'node:fs';

/** What /proc says about processes. One that has just ended counts as one that was never there. */

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  /** Since it began, with those of its ended children, in clock ticks. */
  readonly ticks: number;
}

// `getconf CLK_TCK` on every Linux that Node.js runs on.
const ticksPerSecond = 100;

/** A zombie has ended. */
export function isAlive(pid: number): boolean {
  const found = stat(pid);
  return found !== undefined && found.state !== 'Z';
}

/** The living children, and theirs, of a process; the process itself is not among them. */
export function descendants(pid: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => stat(Number(name)))
    .filter((found) => found !== undefined && found.state !== 'Z') as Stat[];
  const below = (parent: number): number[] =>
    all.filter((found) => found.parent === parent).flatMap((found) => [found.pid, ...below(found.pid)]);
  return below(pid);
}

/** The program and its arguments, separated by spaces; empty when it has ended. */
export function commandLine(pid: number): string {
  return read(pid, 'cmdline').replaceAll('\0', ' ').trim();
}

/** What a process was given in its environment; empty when it has ended. */
export function environment(pid: number): string[] {
  return read(pid, 'environ').split('\0').filter(Boolean);
}

/** How many files, sockets and pipes it has open. */
export function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** The libraries whose code a process has loaded: names of files, each once. */
export function loadedLibraries(pid: number): string[] {
  const names = [...read(pid, 'maps').matchAll(/\/([^/\n]+\.(?:so[.\d]*|node))$/gm)].map(
    ([, name = '']) => name,
  );
  return [...new Set(names)];
}

/** CPU seconds that a process, its descendants and their ended children have used since they began. */
export function cpuSeconds(pid: number): number {
  const ticks = [pid, ...descendants(pid)].reduce((sum, each) => sum + (stat(each)?.ticks ?? 0), 0);
  return ticks / ticksPerSecond;
}

/** As `cpuSeconds`, of the process alone. */
export function ownCpuSeconds(pid: number): number {
  return (stat(pid)?.ticks ?? 0) / ticksPerSecond;
}

/** How often the threads of a process alone have gone to sleep since they began, and so were woken up again. */
export function ownWakeUps(pid: number): number {
  return threads(pid).reduce((sum, { wakeUps }) => sum + wakeUps, 0);
}

/** What a thread has done since it began. */
export interface Thread {
  readonly id: string;
  readonly name: string;
  readonly wakeUps: number;
  readonly cpuSeconds: number;
}

/** The threads of a process alone; its own is the first. */
export function threads(pid: number): Thread[] {
  return tasks(pid).map((id) => {
    const switches = /^voluntary_ctxt_switches:\s+(\d+)/m.exec(read(pid, `task/${id}/status`))?.[1];
    const nanoseconds = Number(read(pid, `task/${id}/schedstat`).split(' ')[0]);
    const name = read(pid, `task/${id}/comm`).trim();
    return { id, name, wakeUps: Number(switches ?? 0), cpuSeconds: nanoseconds / 1e9 };
  });
}

/** Memory of a process and its descendants in bytes. */
export interface Memory {
  /** Summed: what several share is counted several times. */
  readonly rss: number;
  /** What several share is counted once in all. */
  readonly pss: number;
}

export function memory(pid: number): Memory {
  return memoryOf([pid, ...descendants(pid)]);
}

/** As `memory`, of the process alone. */
export function ownMemory(pid: number): Memory {
  return memoryOf([pid]);
}

/**
 * Bytes that a process has for itself alone, without those that the kernel may take back. Its part of what several share grows
 * when another of them ends.
 */
export function privateMemoryBytes(pid: number): number {
  const rolled = read(pid, 'smaps_rollup');
  const bytes = (field: string) =>
    1024 * Number(new RegExp(`^${field}: +(\\d+)`, 'm').exec(rolled)?.[1] ?? 0);
  return bytes('Pss_Anon') - bytes('LazyFree');
}

function memoryOf(pids: readonly number[]): Memory {
  const rolled = pids.map((each) => read(each, 'smaps_rollup'));
  const sum = (field: string) =>
    rolled.reduce(
      (total, text) => total + 1024 * Number(new RegExp(`^${field}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0),
      0,
    );
  return { rss: sum('Rss'), pss: sum('Pss') };
}

/** Bytes in memory of a process alone. */
export const ownMemoryBytes = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0);

function stat(pid: number): Stat | undefined {
  // The name stands in parentheses and may hold any character, parentheses and spaces too.
  const text = read(pid, 'stat');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return undefined;
  const [utime, stime, childrenUtime, childrenStime] = fields.slice(11, 15).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return {
    pid,
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    ticks: utime + stime + childrenUtime + childrenStime,
  };
}

function tasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
