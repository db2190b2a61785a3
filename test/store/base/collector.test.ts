import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { project } from '../../support/project.ts';

it('is found by threads that look for it at the same time', async () => {
  const built = pathToFileURL(join(project, 'dist/modules/store/base/collector.js')).href;
  const program = `
    import { parentPort } from 'node:worker_threads';
    import { collector } from ${JSON.stringify(built)};
    let missed = 0;
    for (let time = 0; time < 200; time++) {
      try {
        collector()({ type: 'minor' });
      } catch {
        missed++;
      }
    }
    parentPort.postMessage(missed);`;
  const module = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const threads = Array.from({ length: 4 }, () => new Worker(module));
  const missed = await Promise.all(
    threads.map(async (thread) => (await once(thread, 'message'))[0] as number),
  );
  expect(missed).toEqual([0, 0, 0, 0]);
});
