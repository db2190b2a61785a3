import { defineConfig } from 'vitest/config';
import { project } from '../support/project.ts';
import { besideTheBuild } from '../vitest.config.ts';

/** Benchmarks are run by name, `npm run bench -- NAME`, one at a time, and print their figures. */
export default defineConfig({
  root: project,
  plugins: [besideTheBuild],
  test: {
    globalSetup: 'test/support/setup.ts',
    include: ['test/bench/*.bench.ts'],
    pool: 'forks',
    fileParallelism: false,
    disableConsoleIntercept: true,
    testTimeout: 30 * 60_000,
    hookTimeout: 10 * 60_000,
  },
});
