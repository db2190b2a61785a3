import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';

/**
 * A family of subjects that carry one shape of JSON message.
 *
 * Only the channel encodes and decodes these messages, so every message that a subscriber receives has been validated.
 */
export interface Channel<Tokens extends readonly string[], Message> {
  /** The subject that these tokens name, for example `logs.info.app._`. */
  subject(...tokens: Tokens): string;
  readonly schema: TSchema;
  encode(message: Message): Uint8Array;
  /** @throws {MessageError} if the bytes are not JSON or not of the channel's shape. */
  decode(payload: Uint8Array): Message;
  /** Like `decode`, but returns undefined instead of throwing. */
  tryDecode(payload: Uint8Array): Message | undefined;
}

/** A message on the bus does not have the shape of its subject. */
class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code = 'bus_message_invalid';
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @param upgrade converts a message of an earlier version, which a stream may still hold, to the channel's shape. */
export function channel<Tokens extends readonly string[], Schema extends TSchema>(
  subject: (...tokens: Tokens) => string,
  schema: Schema,
  upgrade?: (message: unknown) => unknown,
): Channel<Tokens, Static<Schema>> {
  // Compiled at the first message, because every process loads all channels and most receive on few.
  let compiled: Validator<Schema> | undefined;
  const decode = (payload: Uint8Array): Static<Schema> => {
    let message: unknown;
    try {
      message = JSON.parse(decoder.decode(payload));
    } catch (cause) {
      throw new MessageError('not JSON', { cause });
    }
    compiled ??= Compile(schema);
    if (compiled.Check(message)) return message as Static<Schema>;
    const upgraded = upgrade?.(message);
    if (compiled.Check(upgraded)) return upgraded as Static<Schema>;
    const [, [first]] = compiled.Errors(message);
    throw new MessageError(`${first?.instancePath || '/'}: ${first?.message ?? 'wrong shape'}`);
  };
  return {
    subject,
    schema,
    encode: (message) => encoder.encode(JSON.stringify(message)),
    decode,
    tryDecode(payload) {
      try {
        return decode(payload);
      } catch {
        return undefined;
      }
    },
  };
}
