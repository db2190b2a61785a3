import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTextFile } from '../../../store/base/text-file.ts';
import { temporaryFolder } from '../../support/folder.ts';

async function read(bytes: Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, bytes);
  return readTextFile(file);
}

test('a byte-order mark at the beginning is skipped', async () => {
  expect(await read(Buffer.from('\ufeffname = "Tür"\n'))).toBe('name = "Tür"\n');
});

test('bytes that are not UTF-8 are refused with their place', async () => {
  const latin1 = Buffer.concat([
    Buffer.from('name = "Tür \ufffd 🚪"\npath = "h'),
    Buffer.from('öfe"', 'latin1'),
  ]);
  await expect(read(latin1)).rejects.toThrow(/^line 2, column 10: expected UTF-8$/);
  await expect(read(Buffer.from([0xe2, 0x82]))).rejects.toThrow('line 1, column 1:');
});
