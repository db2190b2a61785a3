import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ShownStream } from './stream/live-message.ts';
import { LivePlayer } from './stream/live-player.ts';
import { takeVideo } from './stream/opened-video.ts';
import { streamForWidth } from './tile-size.ts';

/** A tile that changes its size does so over many frames. */
const settleMs = 400;
/** Tiles this far outside of the window are made ready. */
const nearby = '200px';

/**
 * Plays a monitor in a video element while it can be seen, by the stream that fits the element's size.
 *
 * @param label what the picture shows, for those who cannot see it.
 * @returns where the element is to be: `place`, an element without a box of its own.
 */
export function usePlayer(
  monitorID: string,
  label: string,
): { readonly place: RefObject<HTMLDivElement | null>; readonly player: LivePlayer | undefined } {
  const place = useRef<HTMLDivElement>(null);
  const [player, setPlayer] = useState<LivePlayer>();
  const stream = useSignal<ShownStream | undefined>(undefined);
  const visible = useSignal(false);

  useLayoutEffect(() => {
    const opened = takeVideo(monitorID);
    const element = opened.video;
    place.current?.append(element);
    const made = new LivePlayer(monitorID, opened);
    setPlayer(made);

    // At once, not after two paints. Without a layout nothing is known of where it is.
    const { top, bottom, width } = element.getBoundingClientRect();
    let isNear = width > 0 && top < innerHeight && bottom > 0;
    const look = () => {
      visible.value = isNear && !document.hidden;
    };
    const watch = new IntersectionObserver(
      (entries) => {
        isNear = entries.at(-1)?.isIntersecting ?? false;
        look();
      },
      { rootMargin: nearby },
    );
    watch.observe(element);
    look();
    document.addEventListener('visibilitychange', look);

    let timer: ReturnType<typeof setTimeout> | undefined;
    const measure = () => {
      // Before the page has its layout.
      if (element.clientWidth === 0) return;
      stream.value = streamForWidth(element.clientWidth, devicePixelRatio, stream.value);
    };
    measure();
    const resize = new ResizeObserver(() => {
      clearTimeout(timer);
      if (stream.value === undefined) measure();
      else timer = setTimeout(measure, settleMs);
    });
    resize.observe(element);
    return () => {
      clearTimeout(timer);
      watch.disconnect();
      resize.disconnect();
      document.removeEventListener('visibilitychange', look);
      made.close();
      element.remove();
    };
  }, [monitorID, stream, visible]);

  const [wanted, isVisible] = [stream.value, visible.value];
  useLayoutEffect(() => {
    if (!player || !wanted) return;
    if (isVisible) player.start(wanted);
    else player.stop();
  }, [player, wanted, isVisible]);
  useLayoutEffect(() => {
    if (player) player.video.ariaLabel = label;
  }, [player, label]);
  return { place, player };
}
