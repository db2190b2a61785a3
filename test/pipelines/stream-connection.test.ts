import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PipelineEnd } from '../../pipelines/pipeline-protocol.ts';
import { StreamConnection } from '../../pipelines/stream-connection.ts';

/** A pipeline to which things come only when a test sends them. */
class PlayedPipeline {
  readonly get = vi.fn(() => `application/x-rtp-depayload-stats, seqnum=(uint)${this.packet};`);
  packet = 0;
  send: (data: Buffer) => void = () => {};
  set(): void {}
  play(): void {}
  #end: () => void = () => {};
  sendEnd = () => this.#end();
  close = () => this.#end();

  pull(_sink: string, listener: (data: Buffer) => void): Promise<void> {
    this.send = listener;
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  }
}

let pipeline = new PlayedPipeline();
vi.mock('../../pipelines/gstreamer.ts', () => ({
  Pipeline: class {
    constructor() {
      // biome-ignore lint/correctness/noConstructorReturn: the test plays the pipeline that was made.
      return pipeline;
    }
  },
}));

beforeEach(() => {
  pipeline = new PlayedPipeline();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function connect(sink: 'fragments' | 'gray') {
  const connection = new StreamConnection(
    { formats: sink === 'gray' ? ['gray'] : [], launch: '', properties: {} },
    'rtsp',
  );
  const ends: PipelineEnd[] = [];
  void connection
    .play({ [sink]: () => {} }, sink === 'fragments' ? sink : undefined)
    .then((end) => ends.push(end));
  return { connection, ends };
}

/** Sends something each second. */
async function play(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    pipeline.send(Buffer.alloc(1));
    await vi.advanceTimersByTimeAsync(1000);
  }
}

const silent = [{ reason: 'silent', detail: 'no video for 5 s' }];

describe('the watch over a connection', () => {
  test('never reads what the addon leaks while video comes, nor while nobody wants any', async () => {
    connect('fragments');
    await play(60);
    expect(pipeline.get).not.toHaveBeenCalled();
    pipeline = new PlayedPipeline();
    const { ends } = connect('gray');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pipeline.get).not.toHaveBeenCalled();
    expect(ends).toEqual([]);
  });

  test('ends it within six seconds of silence', async () => {
    const { ends } = connect('fragments');
    await play(3);
    await vi.advanceTimersByTimeAsync(3000);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(ends).toEqual(silent);
  });

  test('counts packets of which nothing could be made yet', async () => {
    const { ends } = connect('fragments');
    await play(1);
    for (let second = 0; second < 20; second += 1) {
      pipeline.packet += 1;
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(ends).toEqual(silent);
  });

  test('begins with the pictures that are wanted', async () => {
    const { connection, ends } = connect('gray');
    await vi.advanceTimersByTimeAsync(60_000);
    connection.setValves(new Set(['gray']));
    await play(3);
    await vi.advanceTimersByTimeAsync(7000);
    expect(ends).toEqual(silent);
  });

  test.each([
    ['forward', 3600_000],
    ['back', -3600_000],
  ])('does not care for a clock that is set %s', async (_, step) => {
    const { ends } = connect('fragments');
    await play(3);
    vi.setSystemTime(Date.now() + step);
    await vi.advanceTimersByTimeAsync(1000);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(6000);
    expect(ends).toEqual(silent);
  });
});
