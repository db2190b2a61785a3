import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { RequestFailure } from '../../data/request.ts';
import { underBase } from '../../data/under-base.ts';
import { clock, dayName } from '../../texts/times.ts';
import { fileAt, pictureAddress } from '../footage/recorded-file.ts';
import { KeyPictures } from '../player/key-pictures.ts';

export interface PreviewPlace {
  readonly monitorID: string | undefined;
  readonly time: number;
  /** In CSS pixels from the timeline's edges. */
  readonly x: number;
  readonly width: number;
}

/** Half of the picture's width in CSS pixels, which keeps it within the timeline. */
const half = 90;

/** What is shown: the canvas, or a picture that the recorder has made. */
interface Shown {
  readonly monitorID: string;
  readonly address?: string;
}

/** The picture of the time under the pointer. Only one is asked for at a time; the newest place is asked for next. */
export function ScrubPreview({ place }: { readonly place: ReadonlySignal<PreviewPlace | undefined> }) {
  const [picture, setPicture] = useState<Shown>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const isBusy = useRef(false);
  const isGone = useRef(false);
  useEffect(() => {
    isGone.current = false;
    const pictures = new KeyPictures();
    const show = async (monitorID: string, time: number) => {
      const found = await pictures.at(monitorID, time);
      if (found === 'same') return;
      if (typeof found === 'object') {
        draw(canvas.current, found);
        setPicture({ monitorID });
        return;
      }
      const file = found === 'nothing' ? undefined : await fileAt(monitorID, time);
      const address = file && (await loaded(pictureAddress(file.id, time)));
      if (!isGone.current) setPicture(address ? { monitorID, address } : undefined);
    };
    const look = async () => {
      const asked = place.value;
      if (isBusy.current || isGone.current || asked?.monitorID === undefined) return;
      isBusy.current = true;
      try {
        await show(asked.monitorID, asked.time);
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
  const left = shown && Math.max(half, Math.min(shown.width - half, shown.x));
  const isRight = picture !== undefined && picture.monitorID === shown?.monitorID;
  return (
    <div class="scrub" style={{ left: `${left ?? 0}px` }} aria-hidden="true" hidden={!shown}>
      <canvas ref={canvas} hidden={!isRight || picture.address !== undefined} />
      {isRight && picture.address !== undefined && <img src={picture.address} alt="" />}
      {shown && (
        <span>
          {dayName(shown.time)}, {clock(shown.time)}
        </span>
      )}
    </div>
  );
}

function draw(canvas: HTMLCanvasElement | null, picture: VideoFrame): void {
  if (canvas) {
    canvas.width = 2 * half * devicePixelRatio;
    canvas.height = (canvas.width * picture.displayHeight) / picture.displayWidth;
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  }
  picture.close();
}

/** @returns the address once the picture is there; undefined if there is none. */
function loaded(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(address);
    image.onerror = () => resolve(undefined);
    image.src = underBase(address);
  });
}
