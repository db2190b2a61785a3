import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BasePath } from '../transport/base-path.ts';

/** `setup/build-pages.mjs` writes it: the files that browsers load, by name. */
interface Manifest {
  readonly [name: string]: {
    /** The `Content-Type`. */
    readonly type: string;
    readonly etag: string;
    /** Compressed forms beside the file, the smallest first: `br` ends in `.br`, `gzip` in `.gz`. */
    readonly encodings: readonly ContentEncoding[];
  };
}

type ContentEncoding = 'br' | 'gzip';

export interface BuiltFile {
  readonly type: string;
  readonly etag: string;
  readonly encoding: ContentEncoding | undefined;
  readonly body: Buffer;
}

const endings = { br: '.br', gzip: '.gz' } as const;

/** The pages as Vite built them. Only names of the manifest reach the disk. */
export class BuiltPages {
  readonly #basePath: BasePath;
  readonly #folder = fileURLToPath(new URL('./web/', import.meta.url));
  #manifest: Promise<ReadonlyMap<string, Manifest[string]>> | undefined;
  readonly #bodies = new Map<string, Promise<Buffer>>();

  constructor(basePath: BasePath) {
    this.#basePath = basePath;
  }

  /**
   * @param acceptEncoding the request's header of that name.
   * @returns undefined if there is no such file.
   */
  async get(name: string, acceptEncoding = ''): Promise<BuiltFile | undefined> {
    this.#manifest ??= this.#readManifest();
    const file = (await this.#manifest).get(name);
    if (!file) return undefined;
    if (name.endsWith('.html') && this.#basePath.path !== '') return this.#moved(name, file.type);
    const encoding = file.encodings.find((one) => accepts(acceptEncoding, one));
    const body = await this.#read(encoding ? name + endings[encoding] : name);
    return { type: file.type, etag: file.etag, encoding, body };
  }

  /** A document below the base path: two kilobytes, so it is not worth compressing again. */
  async #moved(name: string, type: string): Promise<BuiltFile> {
    const body = Buffer.from(this.#basePath.rewrite((await this.#read(name)).toString()));
    const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    return { type, etag, encoding: undefined, body };
  }

  async #readManifest(): Promise<ReadonlyMap<string, Manifest[string]>> {
    const text = await readFile(join(this.#folder, 'manifest.json'), 'utf8');
    return new Map(Object.entries(JSON.parse(text) as Manifest));
  }

  #read(name: string): Promise<Buffer> {
    let body = this.#bodies.get(name);
    if (!body) {
      body = readFile(join(this.#folder, name));
      this.#bodies.set(name, body);
    }
    return body;
  }
}

/** [RFC 9110 section 12.5.3] Without `*`, which browsers do not send. */
function accepts(header: string, encoding: ContentEncoding): boolean {
  return header.split(',').some((item) => {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
