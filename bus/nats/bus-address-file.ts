import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Compile } from 'typebox/schema';
import { removeFile, writeAtomically } from '../base/files.ts';
import type { BusAddress } from './bus-address.ts';

const EmbeddedAddress = Type.Object({
  servers: Type.Array(Type.String(), { minItems: 1 }),
  token: Type.String(),
});

const addressFile = (busDir: string) => join(busDir, 'address.json');

/**
 * Writes the address of the running embedded server beside its streams. The file is readable by the recorder's user only,
 * who can read the token out of the server's environment as well.
 */
export async function writeBusAddress(busDir: string, { servers, token }: BusAddress): Promise<void> {
  await writeAtomically(addressFile(busDir), JSON.stringify({ servers, token }), 0o600);
}

export async function removeBusAddress(busDir: string): Promise<void> {
  await removeFile(addressFile(busDir));
}

/** @returns undefined if no recorder runs there, or if this user cannot read the file. */
export async function readBusAddress(busDir: string): Promise<BusAddress | undefined> {
  try {
    const address: unknown = JSON.parse(await readFile(addressFile(busDir), 'utf8'));
    return Compile(EmbeddedAddress).Check(address) ? address : undefined;
  } catch {
    return undefined;
  }
}
