import { expect, test } from 'vitest';
import { parseSdp } from '../../../../pipelines/rtsp/protocol/sdp.ts';
import { Reception } from '../../../../pipelines/rtsp/rtp/reception.ts';
import { oneVideo } from '../../../support/fake-camera.ts';
import { packet } from '../../../support/fake-video.ts';
import { writeSenderReport } from '../../../support/rtp-writer.ts';

const dayMs = 86_400_000;

test('of a sender report that is older than its field can say, the report on the reception says the most', () => {
  const [track] = parseSdp(oneVideo).tracks;
  if (!track) throw new Error('there is no track');
  const reception = new Reception(track, false, { onPacket: () => {}, onReport: () => {} });
  reception.take(writeSenderReport(1_700_000_000_000, 0), performance.now() - dayMs);
  reception.take(packet(1), performance.now());
  const report = reception.report();
  expect(report?.readUInt32BE(24)).not.toBe(0);
  expect(report?.readUInt32BE(28)).toBe(2 ** 32 - 1);
});
