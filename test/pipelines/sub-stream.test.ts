import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Logger } from '../../bus/logging/logger.ts';
import type { FrameFormat } from '../../bus/messages.ts';
import type { PipelineEnd } from '../../pipelines/protocol/pipeline-protocol.ts';
import { SubStream } from '../../pipelines/sub-stream.ts';

const lost: PipelineEnd = { reason: 'lost', detail: 'the camera closed the connection' };
const gray: ReadonlySet<FrameFormat> = new Set(['gray']);
const nothing: ReadonlySet<FrameFormat> = new Set();

/** One that plays until it is told of its end. */
class PlayedConnection {
  readonly begun = Date.now();
  onPicture = (): void => {};
  valves: ReadonlySet<FrameFormat> = nothing;
  end: (end: PipelineEnd) => void = () => {};

  play(onPicture: () => void): Promise<PipelineEnd> {
    this.onPicture = onPicture;
    return new Promise((resolve) => {
      this.end = resolve;
    });
  }

  setValves(wanted: ReadonlySet<FrameFormat>): void {
    this.valves = wanted;
  }
}

function startSubStream(open: () => PlayedConnection = () => new PlayedConnection()) {
  const connections: PlayedConnection[] = [];
  const messages: string[] = [];
  const troubles: (string | null)[] = [];
  const stream = new SubStream({
    formats: ['gray'],
    open: () => {
      const connection = open();
      connections.push(connection);
      return connection;
    },
    monitorID: 'door',
    log: new Logger(({ level, msg }) => messages.push(`${level}: ${msg}`)).source('monitor'),
    random: () => 1,
    onTrouble: (text) => troubles.push(text),
  });
  return { stream, connections, messages, troubles };
}

describe('a sub stream', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is connected to when its pictures are wanted, and stays so when they are not', () => {
    const { stream, connections } = startSubStream();
    stream.setValves(new Set(['rgb']));
    expect(connections).toHaveLength(0);
    stream.setValves(gray);
    expect(connections).toHaveLength(1);
    expect(connections[0]?.valves).toEqual(gray);
    stream.setValves(nothing);
    expect(connections[0]?.valves).toEqual(nothing);
    stream.setValves(gray);
    expect(connections).toHaveLength(1);
  });

  test('is tried again after longer and longer pauses, and complained of once', async () => {
    const { stream, connections, messages } = startSubStream();
    stream.setValves(gray);
    for (let attempt = 0; attempt < 12; attempt += 1) {
      connections.at(-1)?.end(lost);
      await vi.runOnlyPendingTimersAsync();
    }
    const pauses = connections.slice(1).map(({ begun }, index) => begun - (connections[index]?.begun ?? 0));
    expect(pauses.map((pause) => pause / 1000)).toEqual([
      ...[2, 4, 8, 16, 32, 64, 128, 256],
      ...[300, 300, 300, 300],
    ]);
    expect(messages).toEqual(['error: sub stream: the camera closed the connection; detectors wait for it']);
    connections.at(-1)?.onPicture();
    expect(messages.slice(1)).toEqual(['info: sub stream: back']);
  });

  test('is tried soon again when it had held for a while', async () => {
    const { stream, connections } = startSubStream();
    stream.setValves(gray);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      connections.at(-1)?.end(lost);
      await vi.runOnlyPendingTimersAsync();
    }
    await vi.advanceTimersByTimeAsync(61_000);
    connections.at(-1)?.end(lost);
    await vi.advanceTimersByTimeAsync(2000);
    expect(connections).toHaveLength(7);
  });

  test('is not tried again while nobody wants it', async () => {
    const { stream, connections } = startSubStream();
    stream.setValves(gray);
    stream.setValves(nothing);
    connections[0]?.end(lost);
    await vi.advanceTimersByTimeAsync(3600_000);
    expect(connections).toHaveLength(1);
    stream.setValves(gray);
    expect(connections).toHaveLength(2);
  });

  test('outlives a pipeline that cannot be built', async () => {
    let broken = true;
    const { stream, connections, messages } = startSubStream(() => {
      if (broken) throw new Error('no element "x"');
      return new PlayedConnection();
    });
    stream.setValves(gray);
    await vi.advanceTimersByTimeAsync(0);
    expect(messages).toEqual(['error: sub stream: no element "x"; detectors wait for it']);
    broken = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(connections).toHaveLength(1);
  });

  test('complains of each reason once, and says when it is back', async () => {
    const { stream, connections, messages, troubles } = startSubStream();
    stream.setValves(gray);
    const refused: PipelineEnd = { reason: 'unauthorized', detail: 'wrong user name or password' };
    for (const end of [lost, refused, lost, refused]) {
      connections.at(-1)?.end(end);
      await vi.runOnlyPendingTimersAsync();
    }
    connections.at(-1)?.onPicture();
    const texts = [
      lost.detail,
      `${refused.detail}; next login in 1 minute`,
      `${refused.detail}; next login in 5 minutes`,
    ].map((text) => `sub stream: ${text}; detectors wait for it`);
    expect(messages).toEqual([...texts.map((text) => `error: ${text}`), 'info: sub stream: back']);
    expect(troubles).toEqual([...texts, null]);
  });

  test('waits for minutes after a refused login, and from one minute on again after a right one', async () => {
    const { stream, connections } = startSubStream();
    stream.setValves(gray);
    const refused: PipelineEnd = { reason: 'unauthorized', detail: 'wrong user name or password' };
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      if (attempt === 5) connections.at(-1)?.onPicture();
      const before = Date.now();
      connections.at(-1)?.end(refused);
      await vi.runOnlyPendingTimersAsync();
      pauses.push(((connections.at(-1)?.begun ?? 0) - before) / 60_000);
    }
    expect(pauses).toEqual([1, 5, 15, 60, 60, 1]);
  });

  test('is tried once an hour when it has cost the process much, for as long as that lives', async () => {
    const { stream, connections } = startSubStream();
    stream.setValves(gray);
    for (let attempt = 0; attempt < 205; attempt += 1) {
      connections.at(-1)?.end(lost);
      await vi.runOnlyPendingTimersAsync();
    }
    expect(connections).toHaveLength(206);
    const begun = connections.slice(-4).map((connection) => connection.begun / 3600_000);
    begun.slice(1).forEach((time, index) => {
      expect(time - (begun[index] ?? 0)).toBeCloseTo(1, 3);
    });
  });

  test('ends when it is closed, for good', async () => {
    const { stream, connections } = startSubStream();
    stream.setValves(gray);
    stream.close();
    await vi.advanceTimersByTimeAsync(3600_000);
    stream.setValves(gray);
    expect(connections).toHaveLength(1);
  });
});
