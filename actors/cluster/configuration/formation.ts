import { isDeepStrictEqual } from 'node:util';
import { randomText } from '../../../bus/base/random.ts';
import type { ConfigChange, ConfigRecords, FoundRecords } from '../../../bus/nats/control/config-records.ts';
import type { StoredRecord } from '../../../store/base/agreement.ts';

/** The record by which a shared configuration is known from others. It is written last, when a cluster is formed. */
const formationRecord = { kind: 'cluster', id: 'formation' } as const;

/** What the shared configuration is known by; undefined while there is none. */
export function formationOf(found: readonly ConfigChange[]): string | undefined {
  const id = found.find(({ kind }) => kind === formationRecord.kind)?.value?.['id'];
  return typeof id === 'string' ? id : undefined;
}

/** What the shared configuration is known by now. @throws while the stream has no leader. */
export async function readFormation(records: ConfigRecords): Promise<string | undefined> {
  const found = await records.find(formationRecord);
  return formationOf(found ? [found] : []);
}

/**
 * Begins the shared configuration of a new cluster with the records of one machine.
 *
 * @param found what was written by an attempt that was broken off.
 * @throws if there is no majority, or another machine writes too.
 */
export async function formConfiguration(
  records: ConfigRecords,
  machine: string,
  own: readonly StoredRecord[],
  found: FoundRecords,
): Promise<void> {
  let after = found.last;
  const write = async ({ kind, id, value }: Pick<ConfigChange, 'kind' | 'id' | 'value'>) => {
    const before = found.changes.find((change) => change.kind === kind && change.id === id);
    if (before && isDeepStrictEqual(before.value, value)) return;
    const sequence = await records.change({ kind, id, value, machine, change: randomText(22) }, after);
    if (typeof sequence !== 'number') throw new Error('the formation was not written');
    after = sequence;
  };
  for (const record of own) await write(record);
  for (const { kind, id } of found.changes) {
    if (!own.some((record) => record.kind === kind && record.id === id))
      await write({ kind, id, value: null });
  }
  await write({ ...formationRecord, value: { id: randomText(22) } });
}
