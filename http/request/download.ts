import { Readable } from 'node:stream';

/**
 * A body whose pieces are read one by one, each when the client has taken the one before it. The first one is read at
 * once, so that a failure can still be told.
 *
 * @throws what the first piece throws.
 */
export async function downloadOf(pieces: AsyncGenerator<Uint8Array>): Promise<Readable> {
  let ready: IteratorResult<Uint8Array> | undefined = await pieces.next();
  return new Readable({
    highWaterMark: 1,
    read() {
      const next = ready ? Promise.resolve(ready) : pieces.next();
      ready = undefined;
      next.then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      pieces.return(undefined).then(
        () => done(error),
        () => done(error),
      );
    },
  });
}

/** @returns the type among `types` that an `Accept` header likes best; the first one when it likes none. [RFC 9110 12.5.1] */
export function acceptedType<T extends string>(accept: string | undefined, types: readonly [T, ...T[]]): T {
  const liked = (accept ?? '').split(',').map((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { name, weight: weight === undefined ? 1 : Number(weight) };
  });
  const weightOf = (type: string) =>
    [type, type.replace(/\/.*/, '/*'), '*/*']
      .map((name) => liked.find((range) => range.name === name)?.weight)
      .find((weight) => weight !== undefined) ?? 0;
  return types.reduce((best, type) => (weightOf(type) > weightOf(best) ? type : best));
}
