import { defineConfig } from 'vitest/config';
import { project } from './support/project.ts';

/**
 * Two groups, one after the other: the unit tests on both cores, then the end-to-end tests, one file at a
 * time, because each of those runs a recorder with its cameras and needs the machine for itself.
 */
const shared = {
  root: project,
  // A process of its own for every file: what it starts can be tied to its life.
  pool: 'forks',
  hookTimeout: 60_000,
} as const;

export default defineConfig({
  root: project,
  test: {
    globalSetup: 'test/support/setup.ts',
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/end-to-end/**'],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'end-to-end',
          include: ['test/end-to-end/**/*.test.ts'],
          testTimeout: 120_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
