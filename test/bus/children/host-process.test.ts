import { afterEach, expect, test, vi } from 'vitest';
import { hostEnvironment } from '../../../bus/children/host-process.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('the processes beside main get its environment, without its settings and Node’s', () => {
  vi.stubEnv('SENTRYBUS_ADMIN_PASSWORD', 's3cret');
  vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=64');
  vi.stubEnv('NODE_CHANNEL_FD', '3');
  vi.stubEnv('GST_DEBUG', '2');
  const environment = hostEnvironment();
  expect(environment).toMatchObject({ PATH: process.env['PATH'], GST_DEBUG: '2' });
  expect(
    Object.keys(environment).filter((name) => /^SENTRYBUS_|^NODE_(OPTIONS|CHANNEL_FD)$/.test(name)),
  ).toEqual([]);
});
