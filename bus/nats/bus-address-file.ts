import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { removeFile, writeAtomically } from '../base/files.ts';
import type { BusAddress } from './bus.ts';

const EmbeddedAddress = Type.Object({
  servers: Type.Array(Type.String(), { minItems: 1 }),
  token: Type.String(),
});

const addressFile = (busDir: string) => join(busDir, 'address.json');

/**
 * Keeps the embedded server's address beside its streams while it runs, readable by the recorder's user only: that user
 * can read the token out of the server's environment as well.
 */
export async function writeBusAddress(busDir: string, { servers, token }: BusAddress): Promise<void> {
  await writeAtomically(addressFile(busDir), JSON.stringify({ servers, token }), 0o600);
}

export async function removeBusAddress(busDir: string): Promise<void> {
  await removeFile(addressFile(busDir));
}

/** @returns undefined when no recorder runs there, or when its file cannot be read by this user. */
export async function readBusAddress(busDir: string): Promise<BusAddress | undefined> {
  try {
    const address: unknown = JSON.parse(await readFile(addressFile(busDir), 'utf8'));
    return Compile(EmbeddedAddress).Check(address) ? address : undefined;
  } catch {
    return undefined;
  }
}
