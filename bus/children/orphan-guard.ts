import { spawn } from 'node:child_process';
import { hostEnvironment } from './host-process.ts';

/**
 * Process ids are reused, so the start time is compared as well: field 22 of
 * `/proc/<pid>/stat`, counted from the end of the name, which may hold spaces.
 */
const script = `
began() { read -r line < "/proc/$pid/stat" && set -- \${line##*) } && echo "\${20}"; }
pid=$1
start=$(began)
read -r _
sleep "$2"
[ -n "$start" ] && [ "$(began)" = "$start" ] && kill -KILL "$pid"
`;

/**
 * Kills a child that outlives this process by more than `orphanMs`. A child that hangs does not notice that its
 * parent has gone, so another process waits for that: its input ends with this process, in whatever way it ends.
 *
 * @returns a function that ends the guard, to be called when the child has ended.
 */
export function guardAgainstOrphan(pid: number, orphanMs: number): () => void {
  // In a session of its own, where a terminal's Ctrl-C does not reach it.
  const guard = spawn('sh', ['-c', script, 'sh', String(pid), String(orphanMs / 1000)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: hostEnvironment(),
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  return () => void guard.kill('SIGKILL');
}
