import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Logger } from '../../bus/logging/logger.ts';
import type { PipelineEnd } from '../../pipelines/protocol/pipeline-protocol.ts';
import { SubStream, type SubStreamOptions } from '../../pipelines/sub-stream.ts';

const lost: PipelineEnd = { reason: 'lost', detail: 'the camera closed the connection' };
const wanted = { begin: true, rates: [], keys: null, again: null, trouble: null };

/** One that plays until it is told of its end. */
class PlayedConnection {
  readonly begun = Date.now();
  onStreaming = (): void => {};
  isDetected = false;
  until = 0;
  readonly watched: (boolean | string)[] = [];
  finished: Promise<void> = Promise.resolve();
  end: (end: PipelineEnd) => void = () => {};

  play(onStreaming: () => void): Promise<PipelineEnd> {
    this.onStreaming = onStreaming;
    return new Promise((resolve) => {
      this.end = resolve;
    });
  }

  finish(): Promise<void> {
    return this.finished;
  }

  detect(): void {
    this.isDetected = true;
  }

  undetect(): void {
    this.isDetected = false;
  }

  recordUntil(until: number): void {
    this.until = until;
  }

  watch({ begin }: { readonly begin: boolean }): void {
    this.watched.push(begin);
  }

  unwatch(): void {
    this.watched.push('no more');
  }
}

function startSubStream({
  open = () => new PlayedConnection(),
  isLoggedIn = true,
  ...options
}: Partial<SubStreamOptions> & {
  readonly open?: () => PlayedConnection;
  readonly isLoggedIn?: boolean;
} = {}) {
  const connections: PlayedConnection[] = [];
  const messages: string[] = [];
  const troubles: (string | null)[] = [];
  const stream = new SubStream({
    isDetected: true,
    isRecorded: false,
    open: () => {
      const connection = open();
      connections.push(connection);
      return connection;
    },
    monitorID: 'door',
    log: new Logger(({ level, msg }) => messages.push(`${level}: ${msg}`)).source('monitor'),
    random: () => 1,
    onTrouble: (text) => troubles.push(text),
    ...options,
  });
  if (isLoggedIn) stream.begin();
  return { stream, connections, messages, troubles };
}

describe('a sub stream', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is connected to before detectors ask for its pictures, and stays so when they want none', () => {
    const { stream, connections } = startSubStream({ isLoggedIn: false });
    // A wrong password of the main stream is not tried here as well.
    expect(connections).toHaveLength(0);
    stream.begin();
    expect(connections).toHaveLength(1);
    stream.detect(wanted);
    expect(connections[0]?.isDetected).toBe(true);
    stream.undetect();
    expect(connections[0]?.isDetected).toBe(false);
    stream.detect(wanted);
    expect(connections).toHaveLength(1);
  });

  test('is connected to while somebody watches it, and sends its last group to who comes later', async () => {
    const { stream, connections, messages } = startSubStream({ isDetected: false });
    stream.watch({ begin: true, sound: false });
    expect(connections).toHaveLength(1);
    expect(connections[0]?.watched).toEqual([true]);
    stream.watch({ begin: false, sound: false });
    expect(connections[0]?.watched).toEqual([true, false]);
    connections[0]?.end(lost);
    await vi.runOnlyPendingTimersAsync();
    expect(connections).toHaveLength(2);
    expect(connections[1]?.watched).toEqual([false]);
    expect(messages).toEqual(['error: the camera closed the connection; viewers wait for it']);
    stream.unwatch();
    expect(connections[1]?.watched).toEqual([false, 'no more']);
    connections[1]?.end(lost);
    await vi.advanceTimersByTimeAsync(3600_000);
    expect(connections).toHaveLength(2);
  });

  test('is tried again after longer and longer pauses, and complained of once', async () => {
    const { stream, connections, messages } = startSubStream();
    stream.detect(wanted);
    for (let attempt = 0; attempt < 12; attempt += 1) {
      connections.at(-1)?.end(lost);
      await vi.runOnlyPendingTimersAsync();
    }
    const pauses = connections.slice(1).map(({ begun }, index) => begun - (connections[index]?.begun ?? 0));
    expect(pauses.map((pause) => pause / 1000)).toEqual([
      ...[2, 4, 8, 16, 30, 30],
      ...[30, 30, 30, 30, 30, 30],
    ]);
    expect(messages).toEqual(['error: the camera closed the connection; detectors wait for it']);
    connections.at(-1)?.onStreaming();
    expect(messages.slice(1)).toEqual(['info: back']);
  });

  test('is tried soon again when it had held for a while', async () => {
    const { stream, connections } = startSubStream();
    stream.detect(wanted);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      connections.at(-1)?.end(lost);
      await vi.runOnlyPendingTimersAsync();
    }
    await vi.advanceTimersByTimeAsync(61_000);
    connections.at(-1)?.end(lost);
    await vi.advanceTimersByTimeAsync(2000);
    expect(connections).toHaveLength(7);
  });

  test('of no detector is not tried again while nobody wants it', async () => {
    const { stream, connections } = startSubStream({ isDetected: false });
    stream.watch({ begin: true, sound: false });
    stream.unwatch();
    connections[0]?.end(lost);
    await vi.advanceTimersByTimeAsync(3600_000);
    expect(connections).toHaveLength(1);
    stream.watch({ begin: true, sound: false });
    expect(connections).toHaveLength(2);
  });

  test('outlives a pipeline that cannot be built', async () => {
    let broken = true;
    const { stream, connections, messages } = startSubStream({
      open: () => {
        if (broken) throw new Error('no element "x"');
        return new PlayedConnection();
      },
    });
    stream.detect(wanted);
    await vi.advanceTimersByTimeAsync(0);
    expect(messages).toEqual(['error: no element "x"; detectors wait for it']);
    broken = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(connections).toHaveLength(1);
  });

  test('complains of each reason once, and says when it is back', async () => {
    const { stream, connections, messages, troubles } = startSubStream();
    stream.detect(wanted);
    const refused: PipelineEnd = { reason: 'unauthorized', detail: 'wrong user name or password' };
    for (const end of [lost, refused, lost, refused]) {
      connections.at(-1)?.end(end);
      await vi.runOnlyPendingTimersAsync();
    }
    connections.at(-1)?.onStreaming();
    const texts = [
      lost.detail,
      `${refused.detail}; next login in 1 minute`,
      `${refused.detail}; next login in 5 minutes`,
    ].map((text) => `${text}; detectors wait for it`);
    expect(messages).toEqual([...texts.map((text) => `error: ${text}`), 'info: back']);
    expect(troubles).toEqual([...texts, null]);
  });

  test('waits for minutes after a refused login, and from one minute on again after a right one', async () => {
    const { stream, connections } = startSubStream();
    stream.detect(wanted);
    const refused: PipelineEnd = { reason: 'unauthorized', detail: 'wrong user name or password' };
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      if (attempt === 5) connections.at(-1)?.onStreaming();
      const before = Date.now();
      connections.at(-1)?.end(refused);
      await vi.runOnlyPendingTimersAsync();
      pauses.push(((connections.at(-1)?.begun ?? 0) - before) / 60_000);
    }
    expect(pauses).toEqual([1, 5, 15, 60, 60, 1]);
  });

  test('ends when it is closed, for good', async () => {
    const { stream, connections } = startSubStream();
    stream.detect(wanted);
    void stream.close();
    await vi.advanceTimersByTimeAsync(3600_000);
    stream.detect(wanted);
    expect(connections).toHaveLength(1);
  });

  test('that is recorded is connected for good, and its connections record until the latest time asked for', async () => {
    const { stream, connections, messages } = startSubStream({
      ...{ isDetected: false, isRecorded: true, isLoggedIn: false },
    });
    const now = Date.now() * 1000;
    stream.recordUntil(now + 5_000_000);
    expect(connections).toHaveLength(0);
    stream.begin();
    expect(connections.map(({ until }) => until - now)).toEqual([5_000_000]);
    stream.recordUntil(now + 9_000_000);
    stream.recordUntil(now + 7_000_000);
    connections[0]?.end(lost);
    await vi.advanceTimersByTimeAsync(2000);
    expect(connections.map(({ until }) => until - now)).toEqual([9_000_000, 9_000_000]);
    expect(messages).toEqual(['error: the camera closed the connection; its recording waits for it']);
  });

  test('that is recorded does not record longer because the clock was set back by an hour', async () => {
    const { stream, connections } = startSubStream({ isDetected: false, isRecorded: true });
    stream.begin();
    stream.recordUntil(Date.now() * 1000 + 60_000_000);
    vi.setSystemTime(Date.now() - 3_600_000);
    connections[0]?.end(lost);
    await vi.advanceTimersByTimeAsync(2000);
    const now = Date.now() * 1000;
    expect((connections[1]?.until ?? 0) - now).toBeLessThanOrEqual(60_000_000);
    stream.recordUntil(now + 90_000_000);
    expect((connections[1]?.until ?? 0) - now).toBe(90_000_000);
  });

  test('that is recorded connects again, and is closed, when its last recording is on disk', async () => {
    let onDisk = (): void => {};
    const { stream, connections } = startSubStream({ isRecorded: true });
    stream.detect(wanted);
    const [first] = connections;
    if (!first) throw new Error('not connected');
    first.finished = new Promise((resolve) => {
      onDisk = resolve;
    });
    first.end(lost);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections).toHaveLength(1);
    const closed = vi.fn();
    void stream.close().then(closed);
    await vi.advanceTimersByTimeAsync(1000);
    expect(closed).not.toHaveBeenCalled();
    onDisk();
    await vi.advanceTimersByTimeAsync(0);
    expect(closed).toHaveBeenCalled();
  });
});
