import type { MachineSchema } from '../schema/machine-schema.ts';
import { repeatedEvents, type UnixSpan } from '../schema/views.ts';

/** A machine that is asked, and those beside it. */
export interface Beside {
  readonly machine: string;
  /** All that are asked, this one included. */
  readonly machines: readonly MachineSchema[];
}

/** The condition that leaves out what the other machines show, of this time. */
export const notRepeated = (
  { machine, machines }: Beside,
  span: UnixSpan,
  bind: (value: string) => string,
): string =>
  `id NOT IN (SELECT id FROM (${repeatedEvents(machines, span)}) WHERE machine = ${bind(machine)})`;
