import { execFileSync } from 'node:child_process';
import { descendants } from './processes.ts';

/** Bytes that each connection between two of these programs has sent since it was made, by its local and remote address. */
export function bytesBetween(programs: readonly number[]): Map<string, number> {
  const programOf = new Map(
    programs.flatMap((root) => [root, ...descendants(root)].map((pid): [number, number] => [pid, root])),
  );
  const text = execFileSync('ss', ['-tinpHO'], { encoding: 'utf8', maxBuffer: 64e6 });
  const ends = new Map<string, { readonly program: number; readonly bytes: number }>();
  for (const line of text.split('\n')) {
    const [, , , local = '', remote = ''] = line.trim().split(/\s+/);
    const program = programOf.get(Number(/pid=(\d+)/.exec(line)?.[1]));
    const bytes = Number(/bytes_sent:(\d+)/.exec(line)?.[1] ?? 0);
    if (program !== undefined) ends.set(`${local} ${remote}`, { program, bytes });
  }
  const between = new Map<string, number>();
  for (const [link, { program, bytes }] of ends) {
    const other = ends.get(link.split(' ').reverse().join(' '));
    if (other && other.program !== program) between.set(link, bytes);
  }
  return between;
}
