import Type from 'typebox';
import { DetectorReport } from '../../bus/messages.ts';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';

const Health = (ok: boolean) => Type.Object({ ok: Type.Literal(ok) }, { additionalProperties: false });

export function healthRoutes({ health, detectors }: Pick<ApiServices, 'health' | 'detectors'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/health',
      access: 'public',
      tag: 'System',
      summary: 'Health of the recorder',
      description: 'For supervisors and load balancers. Needs no login and reveals nothing else.',
      answers: {
        200: { description: 'The recorder is healthy', schema: Health(true) },
        503: { description: 'The recorder is not healthy', schema: Health(false) },
      },
      handle() {
        const ok = health();
        return { status: ok ? 200 : 503, body: { ok } };
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
