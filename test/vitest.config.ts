import { defineConfig } from 'vitest/config';
import { project } from './support/project.ts';

/**
 * Two groups, one after the other: the unit tests on both cores, then the end-to-end tests, one file at a
 * time, because each of those runs a recorder with its cameras and needs the machine for itself.
 */
export default defineConfig({
  root: project,
  test: {
    globalSetup: 'test/support/setup.ts',
    // A process of its own for every file: what it starts can be tied to its life.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/end-to-end/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'end-to-end',
          include: ['test/end-to-end/**/*.test.ts'],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
