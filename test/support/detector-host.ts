import { createActor, setup, waitFor as waitForState } from 'xstate';
import { hostProcess } from '../../actors/machines/detector-host.ts';
import type { BusAddress } from '../../bus/nats/bus-address.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';

/** The detectors' process, as main runs it, which decodes too. It is ready, and ends with the test. */
export async function startDetectorHost(bus: BusAddress): Promise<void> {
  const folder = await temporaryFolder();
  const log = { repeatLimit: 5, printDebug: false };
  const parent = createActor(
    setup({
      types: { events: {} as { type: 'host.ready' } | { type: 'host.ended' } },
      actors: { process: hostProcess(() => ({ bus, configDir: folder, storageDir: folder, log })) },
    }).createMachine({
      invoke: { src: 'process' },
      initial: 'starting',
      states: { starting: { on: { 'host.ready': 'ready' } }, ready: {} },
    }),
  );
  atEnd(async () => void parent.stop());
  parent.start();
  await waitForState(parent, (state) => state.matches('ready'), { timeout: 20_000 });
}
