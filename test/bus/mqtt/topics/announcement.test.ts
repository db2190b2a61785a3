import { expect, test, vi } from 'vitest';
import { Announcement } from '../../../../bus/mqtt/topics/announcement.ts';
import { atEnd } from '../../../support/cleanup.ts';

test('what the broker refuses is announced again after 30 to 60 s, if it is connected then', async () => {
  vi.useFakeTimers();
  atEnd(async () => void vi.useRealTimers());
  const outcomes = ['refused', 'refused', 'delivered', 'refused', 'refused'];
  let published = 0;
  let isConnected = true;
  const announcement = new Announcement(
    { topic: 'available', payload: 'online', isRetained: true },
    async () => outcomes[published++],
    () => isConnected,
  );
  const after = async (seconds: number) => {
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    return published;
  };
  void announcement.announce();
  expect(await after(29)).toBe(1);
  expect(await after(120)).toBe(3);
  expect(await after(600)).toBe(3);
  isConnected = false;
  void announcement.announce();
  expect(await after(600)).toBe(4);
  void announcement.announce();
  expect(await after(1)).toBe(5);
  announcement.close();
  expect(vi.getTimerCount()).toBe(0);
});
