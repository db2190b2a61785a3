import { type Static, type TSchema, Type } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';
import { type MonitorConfig, sectionOf } from '../../store/monitors/monitor-config.ts';

/** A part of the picture that a detector looks at, or one that it ignores. */
export const LiveZone = Type.Object({
  /** The detector. */
  source: Type.String(),
  /** `zone<k>` as in its detections, or `mask`. */
  label: Type.String(),
  /** A polygon: points in millionths of the picture's width and height. */
  area: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()])),
});
export type LiveZone = Static<typeof LiveZone>;

const Enabled = Type.Object({ enable: Type.Boolean(), area: LiveZone.properties.area });
const zoned = Compile(Type.Object({ enable: Type.Boolean(), zones: Type.Array(Enabled) }));
const masked = Compile(Type.Object({ enable: Type.Boolean(), mask: Enabled }));

/** @param detectors their names */
export function zonesOf(config: MonitorConfig, detectors: readonly string[]): LiveZone[] {
  return detectors.flatMap((source) => {
    const section: unknown = sectionOf(config, source);
    const zones = enabledOf(zoned, section)?.zones ?? [];
    const mask = enabledOf(masked, section)?.mask;
    return [
      ...zones.map(({ enable, area }, index) => ({ enable, zone: { source, label: `zone${index}`, area } })),
      ...(mask ? [{ enable: mask.enable, zone: { source, label: 'mask', area: mask.area } }] : []),
    ].flatMap(({ enable, zone }) => (enable ? [zone] : []));
  });
}

/** @returns undefined for the section of a detector that has no such parts, or does not run */
function enabledOf<Schema extends TSchema>(
  shape: Validator<Schema>,
  section: unknown,
): Static<Schema> | undefined {
  if (!shape.Check(section)) return undefined;
  return (section as { readonly enable: boolean }).enable ? (section as Static<Schema>) : undefined;
}
