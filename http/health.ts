import Type from 'typebox';
import { type Route, route } from './route.ts';
import type { Services } from './services.ts';

const Health = (ok: boolean) => Type.Object({ ok: Type.Literal(ok) }, { additionalProperties: false });

export function healthRoutes({ health }: Pick<Services, 'health'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/health',
      access: 'public',
      tag: 'System',
      summary: 'Whether the recorder does its work',
      description: 'For supervisors and load balancers. Needs no login and says nothing else.',
      answers: {
        200: { description: 'It does', schema: Health(true) },
        503: { description: 'It does not', schema: Health(false) },
      },
      handle() {
        const ok = health();
        return { status: ok ? 200 : 503, body: { ok } };
      },
    }),
  ];
}
