import type { TestProject } from 'vitest/node';
import { ArchiveError, newerNatsServer } from './newer-nats.ts';
import setup from './setup.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why tests of a cluster cannot run here; empty if they can. */
    readonly noCluster: string;
  }
}

/** Runs once before all tests of clusters. */
export default async function setupCluster(project: TestProject): Promise<void> {
  await setup(project);
  const reason = await newerNatsServer().then(
    () => '',
    (error: Error) => {
      if (!(error instanceof ArchiveError)) throw error;
      return error.message;
    },
  );
  if (reason !== '') console.log(`All tests of clusters are skipped: ${reason}`);
  project.provide('noCluster', reason);
}
