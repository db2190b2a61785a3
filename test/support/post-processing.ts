import { makeAnchors } from '../../actors/detectors/objects/decoding/anchors.ts';
import { FlatbufferReader, list, numbers, type Part, prepend, string, table } from './flatbuffer-writer.ts';

/** What the post-processing is told, written with flatbuffers' own library: 23 classes, scores from 0.1, overlaps of 0.5. */
const options =
  'bWF4X2RldGVjdGlvbnMAbWF4X2NsYXNzZXNfcGVyX2RldGVjdGlvbgBkZXRlY3Rpb25zX3Blcl9jbGFzcwB1c2VfcmVndWxhcl9ubXMAbnVtX2NsYXNzZXMAbm1zX3Njb3JlX3RocmVzaG9sZABubXNfaW91X3RocmVzaG9sZAB5X3NjYWxlAHhfc2NhbGUAaF9zY2FsZQB3X3NjYWxlAAt4EpSkN0xZahEiKwAAAAAPAAAAAAAAAAEAAAAAAAAACwAAAAAAAAAUAAAAAAAAAAAAAAAAABRAAQAAAAAAAAAUAAAAAAAAAAAAAAAAAOA/mpmZmZmZuT8XAAAAAAAAAAAAAAAAAAAAAAAAAAAAFEAAAAAAAAAkQAAAAAAAACRABw8HBw8PB2sPDw9jJwE=';

const [float32, uint8, int8] = [0, 3, 9];
const [dequantize, logistic, quantize, custom] = [6, 14, 114, 32];
const anchors = 1917;

export interface Changes {
  /** What stands for the numbers that the model takes, which are those of single precision otherwise. */
  readonly input?: 'uint8' | 'int8';
  /** TensorFlow's own post-processing behind it; else its boxes and logits in eight bits. */
  readonly output: 'post-processed' | 'quantised';
}

/**
 * The default model as others come: with whole numbers as its input, and with post-processing or quantised outputs.
 * It is TensorFlow Lite that works these out; the model in the middle stays as it is.
 */
export function changeModel(model: Uint8Array, { input, output }: Changes): Uint8Array {
  const reader = new FlatbufferReader(model);
  const [graph] = reader.items(reader.field(reader.root, 2));
  if (graph?.kind !== 'old') throw new Error('there is no graph');
  const at = (field: number) => reader.field(graph.position, field);
  const codes = reader.items(reader.field(reader.root, 1));
  const buffers = reader.items(reader.field(reader.root, 4));
  const tensors = reader.items(at(0));
  const operators = reader.items(at(3));
  const view = new DataView(model.buffer, model.byteOffset);
  const [oldInput = 0, boxes = 0, logits = 0] = [at(1) + 4, at(2) + 4, at(2) + 8].map((place) =>
    view.getInt32(place, true),
  );

  const add = (to: Part[], part: Part) => to.push(part) - 1;
  const tensor = (shape: number[], type: number, quantization?: [scale: number, zero: number], buffer = 0) =>
    add(
      tensors,
      table({
        0: numbers(Int32Array.from(shape)),
        1: type,
        2: buffer,
        3: string(`added${tensors.length}`),
        ...(quantization && {
          4: table({
            2: numbers(Float32Array.of(quantization[0])),
            3: numbers(BigInt64Array.of(BigInt(quantization[1]))),
          }),
        }),
      }),
    );
  const code = (builtin: number, name?: string) =>
    add(
      codes,
      table({ 0: builtin, ...(name && { 1: string(name) }), 2: builtin === custom ? 1 : 2, 3: builtin }),
    );
  const operator = (index: number, inputs: number[], outputs: number[], rest: Record<number, Part> = {}) =>
    table({ 0: index, 1: numbers(Int32Array.from(inputs)), 2: numbers(Int32Array.from(outputs)), ...rest });

  let first = oldInput;
  if (input) {
    const [type, zero] = input === 'uint8' ? [uint8, 128] : [int8, 0];
    first = tensor([1, 300, 300, 3], type, [1 / 128, zero]);
    operators.unshift(operator(code(dequantize), [first], [oldInput]));
  }
  let last: number[];
  if (output === 'quantised') {
    const quantised = [
      tensor([1, anchors, 4], uint8, [0.1, 128]),
      tensor([1, anchors, 24], uint8, [0.08, 180]),
    ];
    const index = code(quantize);
    operators.push(
      operator(index, [boxes], quantised.slice(0, 1)),
      operator(index, [logits], quantised.slice(1)),
    );
    last = quantised;
  } else {
    const probabilities = tensor([1, anchors, 24], float32);
    operators.push(operator(code(logistic), [logits], [probabilities]));
    const constant = add(buffers, table({ 0: numbers(new Uint8Array(makeAnchors(300).buffer)) }));
    const places = tensor([anchors, 4], float32, undefined, constant);
    last = [[1, 20, 4], [1, 20], [1, 20], [1]].map((shape) => tensor(shape, float32));
    operators.push(
      operator(code(custom, 'TFLite_Detection_PostProcess'), [boxes, probabilities, places], last, {
        5: numbers(Buffer.from(options, 'base64')),
      }),
    );
  }
  const root = table({
    0: 3,
    1: list(codes),
    2: list([
      table({
        0: list(tensors),
        1: numbers(Int32Array.of(first)),
        2: numbers(Int32Array.from(last)),
        3: list(operators),
      }),
    ]),
    4: list(buffers),
  });
  return prepend(root, 'TFL3', model);
}
