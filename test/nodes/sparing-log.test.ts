import { expect, test } from "vitest";
import type { Log } from "../../nodes/log.ts";
import { sparingLog } from "../../nodes/sparing-log.ts";
import { strangerLinesBurstMax, strangerLinesPerSecondMax } from "../../relay/limits.ts";

test.for(["child-refused", "frame-refused"])(
  "what strangers bring about is written so many times at once, then each second: %s",
  (event) => {
    let monoMs = 0;
    const lines: Parameters<Log["write"]>[0][] = [];
    const log = sparingLog({ write: (entry) => lines.push(entry) }, () => monoMs);
    const written = (count: number, of: string): number => {
      lines.length = 0;
      for (let n = 0; n < count; n++)
        log.write({ level: "warn", event: of, message: "turned away" });
      return lines.length;
    };
    expect(written(strangerLinesBurstMax, event)).toBe(strangerLinesBurstMax);
    expect(written(7, event)).toBe(0);
    expect(written(2 * strangerLinesBurstMax, "operated")).toBe(2 * strangerLinesBurstMax);
    monoMs += 1_000;
    expect(written(strangerLinesPerSecondMax + 1, event)).toBe(strangerLinesPerSecondMax);
    expect(lines[0]).toMatchObject({ message: "turned away", fields: { leftOut: 7 } });
    monoMs += 1_000;
    written(1, event);
    expect(lines[0]?.fields).toEqual({ leftOut: 1 });
    monoMs += 1_000;
    written(1, event);
    expect(lines[0]?.fields).toBeUndefined();
  },
);
