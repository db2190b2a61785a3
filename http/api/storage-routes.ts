import { Type } from 'typebox';
import { diskStates } from '../../store/recordings/retention/retention-rules.ts';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';

const Bytes = Type.Integer({ minimum: 0 });
export const DaysLeft = Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
  description:
    'Days until the oldest recordings are deleted for space, at the rate of the last day; 0 if they are deleted now, null if nothing was recorded',
});

export const DiskStateName = Type.Enum(diskStates, {
  description:
    '`room`: enough space. `full`: the oldest recordings are deleted. `taken`: other files take what is freed, so deleting pauses. `newest`: only protected recordings and the newest hours of each monitor are left',
});

const MonitorUse = Type.Object({
  id: Type.String(),
  recordings: Type.Integer({ minimum: 0 }),
  bytes: Bytes,
  protectedBytes: Bytes,
  oldest: Type.Union([Type.Integer(), Type.Null()], { description: 'When its oldest recording began' }),
  bytesPerDay: Bytes,
  daysLeft: DaysLeft,
});

const Storage = Type.Object({
  maxBytes: Type.Integer({ minimum: 0, description: '`max_disk_usage`' }),
  recordingBytes: Bytes,
  protectedBytes: Type.Integer({ minimum: 0, description: 'Of the recordings, those that are protected' }),
  snapshotBytes: Bytes,
  logBytes: Bytes,
  busBytes: Bytes,
  disk: Type.Object({
    state: DiskStateName,
    size: Bytes,
    free: Bytes,
    others: Type.Integer({ minimum: 0, description: 'What files of others take' }),
  }),
  daysLeft: DaysLeft,
  isFilling: Type.Boolean({
    description:
      'Whether the disk will be full within a day, or nearly is, before `max_disk_usage` is reached; the log has a warning then',
  }),
  catalogue: Type.Object(
    {
      state: Type.Enum(['checking', 'rebuilding', 'complete']),
      added: Type.Integer({ minimum: 0 }),
      missing: Type.Integer({ minimum: 0 }),
    },
    {
      description:
        'Whether the catalogue has all recordings of the folder: `checking` after the start; `rebuilding` while those that it misses are added',
    },
  ),
  monitors: Type.Array(MonitorUse),
});

const example = {
  maxBytes: 100_000_000_000,
  recordingBytes: 61_300_000_000,
  protectedBytes: 382_500_000,
  snapshotBytes: 120_000_000,
  logBytes: 210_000_000,
  busBytes: 95_000_000,
  disk: { state: 'room', size: 256_000_000_000, free: 171_000_000_000, others: 23_000_000_000 },
  daysLeft: 4.4,
  isFilling: false,
  catalogue: { state: 'complete', added: 0, missing: 0 },
  monitors: [
    {
      id: 'door',
      recordings: 641,
      bytes: 61_300_000_000,
      protectedBytes: 382_500_000,
      oldest: 1_794_836_400_000_000,
      bytesPerDay: 8_700_000_000,
      daysLeft: 4.4,
    },
  ],
};

export function storageRoutes({
  storage,
  catalogueProgress,
}: Pick<ApiServices, 'storage' | 'catalogueProgress'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/storage',
      access: 'admin',
      tag: 'System',
      summary: 'What the recorder keeps, and for how long there is space',
      description:
        'Sizes in bytes. Recordings of sub streams are counted with their monitor. What a recording that is being written takes is as last reported.',
      answers: { 200: { description: 'The use of the storage', schema: Storage, example } },
      failures: ['storage_failed'],
      handle: async () => ({ body: { ...(await storage()), catalogue: catalogueProgress() } }),
    }),
  ];
}
