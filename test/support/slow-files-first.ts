import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { project } from './project.ts';

/** Those that take half a minute and more, the slowest first. */
const slowFiles: readonly string[] = [
  'pipelines/run-pipeline',
  'pipelines/pipeline-sound',
  'pipelines/pipeline-frames',
  'pipelines/pipeline-recording',
  'store/log/retention/log-retention',
  'http/odd-requests',
  'store/log/log-losses',
  'http/pages/api-page',
  'camera/camera',
  'http/recordings/clip-routes',
  'http/log/log-sql-hostile',
  'http/log/log-feed',
  'store/log/kills',
  'bus/mqtt/broker/broker-link',
  'http/transport/tls',
  'store/log/memory',
  'http/recordings/thumbnail-routes',
  'actors/startup/export-log',
  'pipelines/mp4/fragmenter',
  'http/api/source-test-routes',
  'pipelines/sub-recording',
  'end-to-end/recordings',
  'end-to-end/trouble',
  'end-to-end/disk-limit',
  'end-to-end/suspend',
].map((name) => `test/${name}.test.ts`);

/** Begins with the files that take longest: one that began last would be waited for alone. */
export class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = slowFiles.indexOf(relative(project, moduleId));
      return found < 0 ? slowFiles.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
