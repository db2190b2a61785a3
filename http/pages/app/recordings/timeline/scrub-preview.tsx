import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { RequestFailure } from '../../data/request.ts';
import { clock, dayName } from '../../texts/times.ts';
import { fileAt, pictureAddress } from '../footage/recorded-file.ts';

export interface PreviewPlace {
  readonly monitorID: string | undefined;
  readonly time: number;
  /** In CSS pixels from the timeline's edges. */
  readonly x: number;
  readonly width: number;
}

/** Half of the picture's width in CSS pixels, which keeps it within the timeline. */
const half = 90;

/** The picture of the time under the pointer. Only one is asked for at a time; the newest place is asked for next. */
export function ScrubPreview({ place }: { readonly place: ReadonlySignal<PreviewPlace | undefined> }) {
  const [picture, setPicture] = useState<{ readonly monitorID: string; readonly address: string }>();
  const isBusy = useRef(false);
  const isGone = useRef(false);
  useEffect(() => {
    isGone.current = false;
    const look = async () => {
      const asked = place.value;
      if (isBusy.current || isGone.current || asked?.monitorID === undefined) return;
      isBusy.current = true;
      const { monitorID, time } = asked;
      try {
        const file = await fileAt(monitorID, time);
        const address = file && (await loaded(pictureAddress(file.id, time)));
        if (!isGone.current) setPicture(address ? { monitorID, address } : undefined);
      } catch (error) {
        if (!(error instanceof RequestFailure)) throw error;
      } finally {
        isBusy.current = false;
      }
      if (place.value !== asked) void look();
    };
    const end = place.subscribe(() => void look());
    return () => {
      isGone.current = true;
      end();
    };
  }, [place]);
  const shown = place.value;
  if (!shown) return null;
  const left = Math.max(half, Math.min(shown.width - half, shown.x));
  return (
    <div class="scrub" style={{ left: `${left}px` }} aria-hidden="true">
      {picture && picture.monitorID === shown.monitorID && <img src={picture.address} alt="" />}
      <span>
        {dayName(shown.time)}, {clock(shown.time)}
      </span>
    </div>
  );
}

/** @returns the address once the picture is there; undefined if there is none. */
function loaded(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(address);
    image.onerror = () => resolve(undefined);
    image.src = address;
  });
}
