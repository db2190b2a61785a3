import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { build } from '../../setup/build.mjs';
import { makeClips, testClips } from './clips.ts';

/**
 * Runs once before all tests, however they were started: what they use has to be there and up to date. In watch mode
 * the sources are built again before each further run, because tests start processes and threads from `dist/`.
 */
export default async function setup(project: TestProject): Promise<void> {
  // One scan of GStreamer's plug-ins (1.2 s of CPU) for all tests, instead of one for each temporary folder.
  process.env['GST_REGISTRY'] ??= join(homedir(), '.cache', 'sentrybus', 'gstreamer-registry.bin');
  await build({ tolerant: true });
  await makeClips(testClips);
  project.onTestsRerun(() => build({ tolerant: true }));
}
