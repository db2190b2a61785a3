import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { project } from './support/project.ts';
import { SlowFilesFirst } from './support/slow-files-first.ts';

/**
 * Node.js cannot run TypeScript in a thread or process, so what a source file finds beside itself through
 * `import.meta.url` is what lies beside it in the build. TypeBox is the build's too: each test file would load 683 files.
 */
export const besideTheBuild: Plugin = {
  name: 'beside-the-build',
  enforce: 'pre',
  config: () => ({
    resolve: {
      alias: [
        { find: /^typebox$/, replacement: join(project, 'dist/node_modules/typebox/index.js') },
        { find: /^typebox\/schema$/, replacement: join(project, 'dist/node_modules/typebox/schema.js') },
      ],
    },
  }),
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
  // Of those tests of a file that say they may: they wait for real time to pass.
  maxConcurrency: 3,
  // Real time on a machine that does other things as well. The report names what took a second attempt.
  retry: 1,
} as const;

/** Files that detect objects, or measure times of a few tenths of a second, or cost: they need the machine for themselves. */
const alone = ['end-to-end/objects', 'end-to-end/cost', 'pipelines/machine-clock-steps'].map(
  (name) => `test/${name}.test.ts`,
);

/**
 * Three groups, one after the other: the unit tests, then the end-to-end tests, each of which runs a recorder with its
 * cameras, then those that need the machine for themselves.
 */
export default defineConfig({
  root: project,
  test: {
    globalSetup: 'test/support/setup.ts',
    maxWorkers: 2,
    sequence: { sequencer: SlowFilesFirst },
    projects: [
      {
        plugins: [besideTheBuild],
        test: {
          ...shared,
          name: 'unit',
          // A file waits for time to pass half of the time.
          maxWorkers: 3,
          include: ['test/**/*.test.ts'],
          exclude: ['test/end-to-end/**', 'test/cluster/**', ...alone],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [besideTheBuild],
        test: {
          ...shared,
          name: 'end-to-end',
          // A file waits for cameras and recorders most of the time.
          maxWorkers: 3,
          include: ['test/end-to-end/**/*.test.ts'],
          exclude: alone,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [besideTheBuild],
        test: {
          ...shared,
          name: 'alone',
          include: alone,
          testTimeout: 120_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
