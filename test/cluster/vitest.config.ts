import { defineConfig } from 'vitest/config';
import { project } from '../support/project.ts';
import { besideTheBuild } from '../vitest.config.ts';

/** Several recorders that are one system: `npm run test:cluster`, one file at a time. */
export default defineConfig({
  root: project,
  plugins: [besideTheBuild],
  test: {
    globalSetup: 'test/support/cluster-setup.ts',
    setupFiles: 'test/support/cluster-skip.ts',
    include: ['test/cluster/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
