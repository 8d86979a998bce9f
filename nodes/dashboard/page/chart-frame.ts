import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Where a chart draws, in pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly bottom: number;
}

/** The width that an element has, so that a chart's text keeps its size on every screen. */
export function useFrame(height: number): { ref: RefObject<HTMLDivElement | null>; frame: Frame } {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setWidth(Math.max(240, entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, frame: { width, height, left: 48, bottom: 24 } };
}

/** Pixels of a moment and of a share; shares are basis points. */
export function scalesOf(
  { width, height, left, bottom }: Frame,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): { x: (atMs: number) => number; y: (basisPoints: number) => number } {
  const spanMs = Math.max(1, toMs - fromMs);
  const top = 8;
  return {
    x: (atMs) => left + ((atMs - fromMs) / spanMs) * (width - left - 8),
    y: (basisPoints) => top + (1 - basisPoints / 10_000) * (height - bottom - top),
  };
}
