import { useState } from 'preact/hooks';
import type { Json } from '../../../../../store/base/json.ts';
import { DetectionOverlay } from '../../live/detection-overlay.tsx';
import { usePlayer } from '../../live/use-player.ts';
import { say } from '../../texts/say.ts';
import { zoneTexts } from '../../texts/zone-texts.ts';
import type { Draft } from '../form/draft.ts';
import { Drawing } from './drawing.tsx';
import { MaskFields } from './mask-fields.tsx';
import type { Polygon, Shape } from './polygon-editing.ts';
import { ZoneFields } from './zone-fields.tsx';
import { type MotionZone, type ObjectMask, readMask, readZones, shapesOf } from './zones.ts';

interface EditorProps {
  readonly draft: Draft;
  readonly monitorID: string;
}

/** Zones and masks, drawn over the live picture. */
export function ZoneEditor({ draft, monitorID }: EditorProps) {
  const zones = readZones(draft);
  const mask = readMask(draft);
  return zones || mask ? <Picture {...{ draft, monitorID, zones, mask }} /> : null;
}

interface PictureProps extends EditorProps {
  readonly zones: readonly MotionZone[] | undefined;
  readonly mask: ObjectMask | undefined;
}

function Picture({ draft, monitorID, zones, mask }: PictureProps) {
  const [wanted, choose] = useState<string>();
  const { place, player } = usePlayer(monitorID, say(zoneTexts.picture));
  const { width = 16, height = 9 } = player?.format.value ?? {};
  const shapes: readonly Shape[] = shapesOf(zones, mask);
  const chosen = shapes.some(({ pointer }) => pointer === wanted) ? wanted : shapes[0]?.pointer;
  const change = (pointer: string, polygon: Polygon) => draft.set(pointer, polygon as unknown as Json);
  return (
    <section class="card">
      <h3>{say(zoneTexts.title)}</h3>
      <p class="hint">{say(zoneTexts.how)}</p>
      <div class="zone-picture" style={{ aspectRatio: `${width} / ${height}` }} data-monitor={monitorID}>
        <div class="boxless" ref={place} />
        {player && <DetectionOverlay player={player} />}
        <Drawing {...{ shapes, chosen, choose, change }} width={(width / height) * 1000} height={1000} />
        {!player?.playing.value && <p class="no-picture">{say(zoneTexts.noPicture)}</p>}
      </div>
      {zones && <ZoneFields {...{ draft, zones, chosen, choose, monitorID }} />}
      {mask && <MaskFields {...{ draft, mask, choose }} />}
    </section>
  );
}
