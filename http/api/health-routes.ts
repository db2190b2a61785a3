import { type Static, Type } from 'typebox';
import { DetectorReport } from '../../bus/messages.ts';
import type { StorageReport } from '../../store/recordings/retention/storage-figures.ts';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';
import { DaysLeft, DiskStateName } from './storage-routes.ts';

const StorageHealth = Type.Object({
  state: DiskStateName,
  daysLeft: DaysLeft,
  isFilling: Type.Boolean({ description: 'As in `GET /api/storage`' }),
  monitors: Type.Array(Type.Object({ id: Type.String(), daysLeft: DaysLeft })),
});

const Health = (ok: boolean) =>
  Type.Object(
    {
      ok: Type.Literal(ok),
      storage: Type.Optional(
        Type.Union([StorageHealth, Type.Null()], {
          description:
            'For admins: as of the last check of the storage; null before the first one after a start',
        }),
      ),
    },
    { additionalProperties: false },
  );

const example = {
  ok: true,
  storage: {
    state: 'room',
    daysLeft: 4.4,
    isFilling: false,
    monitors: [{ id: 'door', daysLeft: 4.4 }],
  },
};

type Services = Pick<ApiServices, 'health' | 'detectors' | 'lastStorage'>;

export function healthRoutes({ health, detectors, lastStorage }: Services): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/health',
      access: 'public',
      recognises: true,
      tag: 'System',
      summary: 'Health of the recorder',
      description:
        'For supervisors and load balancers. Needs no login and reveals nothing else then. With the login of an admin it also says whether the disk is full and in how many days it will be, as `GET /api/storage` does, at no cost: as it was at the last check, at most five minutes ago.',
      answers: {
        200: { description: 'The recorder is healthy', schema: Health(true), example },
        503: { description: 'The recorder is not healthy', schema: Health(false) },
      },
      handle({ caller }) {
        const ok = health();
        const storage = caller.isAdmin ? { storage: storageHealth(lastStorage()) } : {};
        return { status: ok ? 200 : 503, body: { ok, ...storage } };
      },
    }),
    route({
      method: 'GET',
      path: '/api/health/detectors',
      access: 'admin',
      tag: 'System',
      summary: 'Models and engines of object detection',
      description:
        'For each monitor with object detection running: its model, the engine that runs the model, and the number of frames skipped because newer ones arrived.',
      answers: {
        200: {
          description: 'The detectors',
          schema: Type.Array(DetectorReport),
          example: [
            {
              monitorID: 'one',
              detector: 'tflite',
              model: 'default',
              engine: 'ONNX Runtime (onnxruntime-node 1.30.0)',
              skipped: 0,
            },
          ],
        },
      },
      handle: () => ({ body: detectors() }),
    }),
  ];
}

function storageHealth(report: StorageReport | undefined): Static<typeof StorageHealth> | null {
  if (!report) return null;
  const { daysLeft, isFilling, disk, monitors } = report;
  const left = monitors.map((monitor) => ({ id: monitor.id, daysLeft: monitor.daysLeft }));
  return { state: disk.state, daysLeft, isFilling, monitors: left };
}
