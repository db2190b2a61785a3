import { runSourceTest } from '../pipelines/source-test/run-source-test.ts';
import type { SourceTestReport } from '../pipelines/source-test/source-test-protocol.ts';
import { StoreError } from '../store/base/store-error.ts';
import type { Config } from '../store/config/config.ts';
import type { MonitorConfig } from '../store/monitors/monitor-config.ts';
import { pipelineSource } from './settings.ts';

/** Tests of sources before they are configured, one at a time: each decodes for a moment, and recording goes first. */
export class SourceTests {
  readonly #config: Pick<Config, 'storageDir' | 'mediaDir'>;
  readonly #closing = new AbortController();
  #isRunning = false;

  constructor(config: Pick<Config, 'storageDir' | 'mediaDir'>) {
    this.#config = config;
  }

  /**
   * @returns undefined while another test runs: the answer is promised within 15 s, so nobody waits for a turn.
   * @throws {StoreError} `invalid` when a file is none that may be played.
   */
  async run(monitor: MonitorConfig, signal: AbortSignal): Promise<SourceTestReport | undefined> {
    if (this.#isRunning) return undefined;
    this.#isRunning = true;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      return await this.#test(monitor, either);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Ends the test that runs. */
  close(): void {
    this.#closing.abort();
  }

  async #test(monitor: MonitorConfig, signal: AbortSignal): Promise<SourceTestReport> {
    if (signal.aborted) return { ok: false, reason: 'stopped', detail: 'the test was ended' };
    try {
      const source = await pipelineSource(monitor, this.#config);
      return await runSourceTest(source, { storageDir: this.#config.storageDir, signal });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'not_found')) throw error;
      return { ok: false, reason: 'not_found', detail: error.message };
    }
  }
}
