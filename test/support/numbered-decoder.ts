/** In the place of GStreamer: shows each picture at once, and knows which ones it got. */

/** The last bytes of its data. */
const trailerBytes = 6;
const caps = Buffer.from('video/x-raw, width=(int)4, height=(int)1');

/** Numbers of pictures; those of slices count as well. */
export const decoded = {
  numbers: [] as number[],
  /** They refer to one that it had not got before. */
  broken: [] as number[],
  /** A picture is shown when so many more have come: the machine is busy. */
  late: 0,
  reset() {
    this.late = 0;
    this.numbers = [];
    this.broken = [];
  },
};

/** One NAL unit of so many bytes, after its length. */
export function numberedData(number: number, bytes: number, kind: 'key' | 'picture' | 'continued'): Buffer {
  const data = Buffer.alloc(Math.max(bytes, 16), 1);
  data.writeUInt32BE(data.length - 4);
  const end = data.length;
  data.writeUInt32BE(number, end - 4);
  data[end - 5] = kind === 'key' ? 1 : 0;
  data[end - trailerBytes] = kind === 'continued' ? 1 : 0;
  return data;
}

export class Pipeline {
  #show: (packet: Buffer) => void = () => {};
  #last = -2;
  readonly #unshown: Buffer[] = [];

  play() {}
  set() {}
  close() {}

  pull(_: string, show: (packet: Buffer) => void) {
    this.#show = show;
    show(gdp(2, caps, 0));
    return new Promise(() => {});
  }

  push(_: string, data: Buffer, timeNs: number) {
    const end = data.length;
    const number = data.readUInt32BE(end - 4);
    const isKey = data[end - 5] === 1;
    decoded.numbers.push(number);
    if (!isKey && number !== this.#last + 1) decoded.broken.push(number);
    this.#last = number;
    if (data[end - trailerBytes] === 0) this.#unshown.push(gdp(1, Buffer.alloc(4), timeNs));
    while (this.#unshown.length > decoded.late) this.#show(this.#unshown.shift() ?? Buffer.alloc(0));
  }
}

/** A packet of the GStreamer Data Protocol. */
function gdp(type: number, payload: Buffer, timeNs: number): Buffer {
  const header = Buffer.alloc(62);
  header.writeUInt16BE(type, 4);
  header.writeUInt32BE(payload.length, 6);
  header.writeBigUInt64BE(BigInt(Math.round(timeNs)), 10);
  return Buffer.concat([header, payload]);
}
