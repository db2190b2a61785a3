import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Fragment, FragmentError, FragmentReader } from '../../../pipelines/mp4/fragment-reader.ts';
import { cut, encode, muxFile, widen } from '../../support/fragments.ts';

const bytes = ({ moof, mdat }: Fragment) => Buffer.concat([moof, ...mdat]);
/** Everything about a fragment, its bytes in one piece. */
const flat = (fragment: Fragment) => ({ ...fragment, mdat: bytes(fragment).toString('base64') });

let stream: Buffer;
beforeAll(async () => {
  // A key frame every 1.5 s, so that some fragments begin in between.
  stream = await muxFile(await encode(60, 15));
});

describe('the fragment reader', () => {
  test('finds the beginning and every picture of what mp4mux makes', () => {
    const { init, fragments } = cut(stream);
    expect(init.timescale).toBe(90_000);
    expect(init.data.toString('latin1', 4, 8)).toBe('ftyp');
    expect(fragments.reduce((sum, { samples }) => sum + samples, 0)).toBe(60);
    expect(fragments.map(({ keyFrame }) => keyFrame).slice(0, 4)).toEqual([true, false, true, false]);
    expect(fragments[0]?.start).toBe(0);
    fragments.slice(1).forEach(({ start }, index) => {
      const before = fragments[index] as Fragment;
      expect(start).toBe(before.start + before.duration);
    });
    for (const fragment of fragments) {
      expect(fragment.duration).toBe(fragment.samples * 9000);
      expect(bytes(fragment).length).toBe(fragment.size);
      expect(stream.includes(bytes(fragment))).toBe(true);
    }
  });

  test('finds the same wherever the stream is cut into chunks', () => {
    const whole = cut(stream).fragments.map(flat);
    const byByte = Array.from({ length: stream.length }, (_, at) => stream.subarray(at, at + 1));
    expect(cut(...byByte).fragments.map(flat)).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 50 }), (cuts) => {
        const borders = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const chunks = borders.slice(1).map((end, index) => stream.subarray(borders[index], end));
        expect(cut(...chunks).fragments.map(flat)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  test('moves the media by reference', () => {
    const [first] = cut(stream).fragments;
    expect(first?.mdat.every(({ buffer }) => buffer === stream.buffer)).toBe(true);
  });

  test('reads times beyond 32 bits', () => {
    const { init, fragments } = cut(stream);
    const wide = widen(fragments[0] as Fragment, 2 ** 40);
    const [read] = cut(init.data, bytes(wide)).fragments;
    expect(read && flat(read)).toEqual(flat(wide));
  });

  test.each([
    ['a box of no length', [Buffer.from('\0\0\0\0moof')]],
    ['a box that asks for gigabytes', [Buffer.from('\x7f\0\0\0mdat', 'latin1')]],
    ['a box of 64 bits that asks for more', [Buffer.from('\0\0\0\x01mdat\0\0\x01\0\0\0\0\0', 'latin1')]],
    ['media that nothing announces', [Buffer.from('\0\0\0\x08mdat')]],
    ['a moov without ftyp', [Buffer.from('\0\0\0\x08moov')]],
    ['an empty moov', [Buffer.from('\0\0\0\x08ftyp'), Buffer.from('\0\0\0\x08moov')]],
  ])('refuses %s', (_, chunks) => {
    expect(() => cut(...chunks)).toThrow(FragmentError);
  });

  test('refuses a second beginning', () => {
    const { init } = cut(stream);
    expect(() => cut(init.data, init.data)).toThrow(FragmentError);
  });

  test('answers damage with an error or with other fragments, and never hangs', () => {
    const head = stream.subarray(0, 6000);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(head.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (damage) => {
          const damaged = Buffer.from(head);
          for (const [at, value] of damage) damaged[at] = value;
          const reader = new FragmentReader({ onInit: () => {}, onFragment: () => {} });
          try {
            reader.push(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(FragmentError);
          }
        },
      ),
      { numRuns: 5000 },
    );
  });
});
