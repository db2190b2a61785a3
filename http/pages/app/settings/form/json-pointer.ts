import type { Json, JsonObject } from '../../../../../store/base/json.ts';

/** Parts of JSON by their pointers (RFC 6901). No key of a configuration needs to be escaped. */

const tokens = (pointer: string) => pointer.split('/').slice(1);

/** The part at `pointer`; undefined if there is none. */
export function partAt(json: Json, pointer: string): Json | undefined {
  let here: Json | undefined = json;
  for (const token of tokens(pointer)) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = Array.isArray(here) ? here[Number(token)] : Object.hasOwn(here, token) ? here[token] : undefined;
  }
  return here;
}

/** A copy with another part at `pointer`, in objects that are made where they are missing; undefined removes the part. */
export function withPart(json: JsonObject, pointer: string, part: Json | undefined): JsonObject {
  return changed(json, tokens(pointer), part) as JsonObject;
}

function changed(json: Json | undefined, [token, ...rest]: readonly string[], part: Json | undefined): Json {
  if (token === undefined) return part ?? null;
  if (Array.isArray(json)) {
    const index = Number(token);
    if (rest.length === 0 && part === undefined) return json.filter((_, at) => at !== index);
    const copy = [...json];
    copy[index] = changed(json[index], rest, part);
    return copy;
  }
  const members: JsonObject = typeof json === 'object' && json !== null ? json : {};
  const { [token]: before, ...others } = members;
  if (rest.length === 0 && part === undefined) return others;
  return { ...members, [token]: changed(before, rest, part) };
}

/** Whether both are the same JSON, in whatever order their members are. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [ours, theirs] = [Object.entries(one), new Map(Object.entries(other))];
  return ours.length === theirs.size && ours.every(([key, part]) => isSame(part, theirs.get(key)));
}
