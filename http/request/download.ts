import { Readable } from 'node:stream';

/**
 * A body that is produced piece by piece, each when the client has read the piece before it. The first piece is
 * produced before the response begins, so that its failure can still become an error response.
 *
 * @throws the error of the first piece.
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

/** @returns the type that an `Accept` header prefers; the first of `types` if it accepts none. [RFC 9110 12.5.1] */
export function acceptedType<T extends string>(accept: string | undefined, types: readonly [T, ...T[]]): T {
  const ranges = (accept ?? '').split(',').map((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { name, weight: weight === undefined ? 1 : Number(weight) };
  });
  const weightOf = (type: string) =>
    [type, type.replace(/\/.*/, '/*'), '*/*']
      .map((name) => ranges.find((range) => range.name === name)?.weight)
      .find((weight) => weight !== undefined) ?? 0;
  return types.reduce((best, type) => (weightOf(type) > weightOf(best) ? type : best));
}
