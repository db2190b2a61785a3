import { MachineClock } from '../base/machine-clock.ts';
import type { Log } from '../log.ts';

/** So often, in milliseconds; a clock that is set again and again makes no more entries than that. */
const intervalMs = 5000;

const units = [
  { name: 'days', us: 86_400e6 },
  { name: 'hours', us: 3600e6 },
  { name: 'min', us: 60e6 },
  { name: 's', us: 1e6 },
] as const;

/** Logs each time that this machine's clock is set, with how far. @returns ends it. */
export function logClockSteps(log: Log, clock = new MachineClock()): () => void {
  const timer = setInterval(() => {
    const stepUs = clock.look();
    if (stepUs === 0) return;
    const direction = stepUs > 0 ? 'ahead' : 'back';
    log.warning(`this machine's clock was set ${direction} by ${describeStep(Math.abs(stepUs))}`);
  }, intervalMs).unref();
  return () => clearInterval(timer);
}

/** `2.0 hours` */
export function describeStep(lengthUs: number): string {
  const { name, us } = units.find((unit) => lengthUs >= 2 * unit.us) ?? units[3];
  return `${(lengthUs / us).toFixed(1)} ${name}`;
}
