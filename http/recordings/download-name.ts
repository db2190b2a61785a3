/**
 * The name under which a browser saves footage: the monitor's name, and the time by the recorder's own clock and time
 * zone, because it is meant for people.
 *
 * @param startMs Unix time in milliseconds
 */
export function downloadName(monitorName: string, startMs: number, ending: string): string {
  const name = monitorName.replace(/[^\p{L}\p{N}]+/gu, '_').replace(/^_+|_+$/g, '') || 'recording';
  const time = new Date(startMs);
  const [year, ...parts] = [
    time.getFullYear(),
    time.getMonth() + 1,
    time.getDate(),
    ...[time.getHours(), time.getMinutes(), time.getSeconds()],
  ].map((part) => String(part).padStart(2, '0'));
  const [month, day, ...clock] = parts;
  return `${name}_${year}-${month}-${day}_${clock.join('-')}.${ending}`;
}
