import { afterEach, expect, test, vi } from 'vitest';
import { hostEnvironment, mainAllocator } from '../../../bus/children/host-process.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('the processes beside main get its environment, without its settings, Node’s and the limits of its memory', () => {
  vi.stubEnv('SENTRYBUS_ADMIN_PASSWORD', 's3cret');
  vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=64');
  vi.stubEnv('NODE_CHANNEL_FD', '3');
  vi.stubEnv('GST_DEBUG', '2');
  for (const [name, value] of Object.entries(mainAllocator)) vi.stubEnv(name, value);
  const environment = hostEnvironment();
  expect(environment).toMatchObject({ PATH: process.env['PATH'], GST_DEBUG: '2' });
  expect(
    Object.keys(environment).filter((name) => /^SENTRYBUS_|^NODE_(OPTIONS|CHANNEL_FD)$|^MALLOC_/.test(name)),
  ).toEqual([]);
});
