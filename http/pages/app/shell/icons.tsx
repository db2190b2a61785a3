/** Drawn on 24 × 24, in the colour of the text around. */
const paths = {
  live: 'M4 6h11a1 1 0 0 1 1 1v3l4-2.5v9L16 14v3a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1z',
  recordings: 'M4 5h16v14H4zM4 9h16M9 5v4M15 5v4M10 11.5v5l4.5-2.5z',
  logs: 'M5 5h14M5 10h14M5 15h9M5 20h6',
  api: 'M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16',
  settings:
    'M12 8.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4zM12 3v2.5M12 18.5V21M4.2 7.5l2.2 1.25M17.6 15.25l2.2 1.25M4.2 16.5l2.2-1.25M17.6 8.75l2.2-1.25',
  preferences: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  fullScreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  leaveFullScreen: 'M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  play: 'M7 5l12 7-12 7z',
  pause: 'M8 5v14M16 5v14',
  stepBack: 'M18 6l-8 6 8 6zM6 6v12',
  stepForward: 'M6 6l8 6-8 6zM18 6v12',
  eventBack: 'M12 6l-6 6 6 6M19 6l-6 6 6 6',
  eventForward: 'M12 6l6 6-6 6M5 6l6 6-6 6',
  sound: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  muted: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  back: 'M15 5l-7 7 7 7',
  remove: 'M6 6l12 12M18 6L6 18',
  forward: 'M9 5l7 7-7 7',
} as const;

export function Icon({ name }: { readonly name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
