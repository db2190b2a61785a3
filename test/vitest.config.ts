import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { project } from './support/project.ts';

/**
 * Node.js cannot run TypeScript in a thread or process, so what a source file finds beside itself through
 * `import.meta.url` is what lies beside it in the build.
 */
export const besideTheBuild: Plugin = {
  name: 'beside-the-build',
  enforce: 'pre',
  transform(code, id) {
    const [source] = /^(actors|bus|http|pipelines|store)\/.*(?=\.ts$)/.exec(relative(project, id)) ?? [];
    if (source === undefined) return undefined;
    const built = pathToFileURL(join(project, 'dist', `${source}.js`)).href;
    return code.replaceAll('import.meta.url', JSON.stringify(built));
  },
};

const shared = {
  root: project,
  // A process of its own for every file: what it starts can be tied to its life.
  pool: 'forks',
  hookTimeout: 60_000,
  // Real time on a machine that does other things as well. The report names what took a second attempt.
  retry: 1,
} as const;

/**
 * Two groups, one after the other: the unit tests on both cores, then the end-to-end tests, one file at a
 * time, because each of those runs a recorder with its cameras and needs the machine for itself.
 */
export default defineConfig({
  root: project,
  test: {
    globalSetup: 'test/support/setup.ts',
    maxWorkers: 2,
    projects: [
      {
        plugins: [besideTheBuild],
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/end-to-end/**'],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [besideTheBuild],
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
