import { open } from 'node:fs/promises';
import { Pipeline } from '../gstreamer/gstreamer.ts';
import { describePictureDecoder } from '../gstreamer/pipeline-description.ts';
import { FramePicker } from './frame-picker.ts';
import type { PictureOrder, PictureReport } from './picture-protocol.ts';

/** The process of one picture. It reports once, and is then ended by the one that asked. */

/** Milliseconds without a frame after which the decoder is told that no more follows: at the end of a recording. */
const quietMs = 300;

// Threads of the addon that still wait for GStreamer would make an orderly exit hang for ever.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C in a terminal goes to every process; main decides what it means.
process.on('SIGINT', () => {});
process.on('uncaughtException', () => report(null));

process.once('message', (order: PictureOrder) => void makePicture(order));

async function makePicture({ path, codec, record, samples, shownNs }: PictureOrder): Promise<void> {
  const picker = new FramePicker(shownNs);
  const pipeline = new Pipeline(describePictureDecoder(codec, Buffer.from(record, 'hex')));
  const done = () => report(picker.jpeg());
  let quiet: NodeJS.Timeout | undefined;
  const wait = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => pipeline.sendEnd(), quietMs);
  };
  pipeline.play(({ type }) => {
    if (type === 'error') done();
  });
  void pipeline
    .pull('rgb', (packet) => {
      wait();
      if (picker.take(packet)) done();
    })
    .then(done);
  const file = await open(path, 'r');
  for (const { offset, bytes, timeNs } of samples) {
    const { buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
    pipeline.push('units', buffer, timeNs);
  }
  await file.close();
  wait();
}

function report(jpeg: Uint8Array | null): void {
  const picture = jpeg && Buffer.from(jpeg).toString('base64');
  if (process.connected) process.send?.({ picture } satisfies PictureReport);
}
