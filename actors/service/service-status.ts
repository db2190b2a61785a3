import { existsSync } from 'node:fs';
import { mustRun, type RunCommand } from '../base/system-commands.ts';
import { unitFile } from './service-unit.ts';

export interface ServiceStatus {
  readonly isActive: boolean;
  /** `active (running)`, `failed (Result: exit-code)` */
  readonly state: string;
  readonly since: string;
  /** `Serving https://127.0.0.1:2020` */
  readonly report: string;
  /** How often systemd started it again by itself. */
  readonly restarts: number;
  readonly memoryBytes: number | undefined;
}

const properties = [
  'ActiveState',
  'SubState',
  'Result',
  'StateChangeTimestamp',
  'StatusText',
  'NRestarts',
  'MemoryCurrent',
];

/** @param run runs systemctl. @returns undefined if the service is not installed. */
export async function serviceStatus(run: RunCommand, unit: string): Promise<ServiceStatus | undefined> {
  if (!existsSync(unitFile)) return undefined;
  const output = await mustRun(
    run,
    'systemctl',
    'show',
    unit,
    ...properties.map((name) => `--property=${name}`),
  );
  const values = new Map(
    output.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const value = (name: string) => values.get(name) ?? '';
  const isActive = value('ActiveState') === 'active';
  const memory = value('MemoryCurrent');
  return {
    isActive,
    state: `${value('ActiveState')} (${value('Result') === 'success' ? value('SubState') : `${value('SubState')}, ${value('Result')}`})`,
    since: value('StateChangeTimestamp'),
    report: value('StatusText'),
    restarts: Number(value('NRestarts')),
    memoryBytes: /^\d+$/.test(memory) ? Number(memory) : undefined,
  };
}
