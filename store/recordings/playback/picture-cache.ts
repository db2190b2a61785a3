const maxBytes = 16 * 1024 * 1024;

/** The last pictures of moments in recordings, in memory: a timeline asks for the same ones again and again. */
export class PictureCache {
  /** The least recently used first. */
  readonly #pictures = new Map<string, Uint8Array>();
  #bytes = 0;

  /** @param shownNs which frame it is, see {@link PictureSamples} */
  get(id: string, shownNs: number): Uint8Array | undefined {
    const name = `${id} ${shownNs}`;
    const picture = this.#pictures.get(name);
    if (!picture) return undefined;
    this.#pictures.delete(name);
    this.#pictures.set(name, picture);
    return picture;
  }

  keep(id: string, shownNs: number, picture: Uint8Array): void {
    const name = `${id} ${shownNs}`;
    this.#bytes += picture.length - (this.#pictures.get(name)?.length ?? 0);
    this.#pictures.delete(name);
    this.#pictures.set(name, picture);
    for (const [oldest, { length }] of this.#pictures) {
      if (this.#bytes <= maxBytes) break;
      this.#bytes -= length;
      this.#pictures.delete(oldest);
    }
  }
}
