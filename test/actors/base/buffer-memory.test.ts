import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { BufferMemory } from '../../../actors/base/buffer-memory.ts';
import { collector } from '../../../store/base/collector.ts';

const bufferBytes = () => getHeapStatistics().external_memory;

test('buffers that minor collections leave are freed once there are many', async () => {
  const collect = collector();
  const memory = new BufferMemory();
  await memory.look();
  const before = bufferBytes();
  let buffers: Buffer[] | undefined = Array.from({ length: 300 }, () => Buffer.alloc(100_000));
  expect(buffers).toHaveLength(300);
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  buffers = undefined;
  collect({ type: 'minor' });
  expect(bufferBytes() - before).toBeGreaterThan(25e6);
  await memory.look();
  await memory.look();
  expect(bufferBytes() - before).toBeLessThan(5e6);
});
