import { expect, test } from 'vitest';
import { endOf } from '../../pipelines/end-reason.ts';
import type { PipelineMessage } from '../../pipelines/gstreamer.ts';

const refusal = (rtspStatus: number) =>
  ({ type: 'error', element: 'source', text: '', debug: '', rtspStatus }) satisfies PipelineMessage;

test('a refused login is one only before the camera streams', () => {
  for (const status of [401, 403]) {
    expect(endOf(refusal(status), 'rtsp', false)).toEqual({
      reason: 'unauthorized',
      detail: 'wrong user name or password',
    });
    expect(endOf(refusal(status), 'rtsp', true)).toEqual({
      reason: 'lost',
      detail: `the camera ended the session with RTSP status ${status}`,
    });
  }
});
