import { build } from '../../setup/build.mjs';
import { makeClips, testClips } from './clips.ts';

/** Runs once before all tests, however they were started: what they use has to be there and up to date. */
export default async function setup(): Promise<void> {
  await build({ tolerant: true });
  await makeClips(testClips);
}
