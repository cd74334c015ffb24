import { describe, expect, test } from "vitest";
import { createStopSequences } from "./stopSequences.ts";

describe("createStopSequences", () => {
  test("behavior: however the text is cut, what goes out is the text before the first stop sequence", () => {
    const text = "aab abaab end of it";
    for (const stops of [["abaa"], ["b e", "abaabx"], ["end", "ab a"], ["never"], []]) {
      const first = Math.min(...stops.map((stop) => text.indexOf(stop)).map((at) => (at < 0 ? text.length : at)), text.length);
      for (let cut = 1; cut <= text.length; cut++) {
        const filter = createStopSequences(stops);
        let out = "";
        for (let at = 0; at < text.length; at += cut) {
          const { text: piece, stopped } = filter.push(text.slice(at, at + cut));
          out += piece;
          if (stopped) break;
        }
        expect([stops, cut, out + filter.rest()]).toEqual([stops, cut, text.slice(0, first)]);
      }
    }
  });

  test("behavior: holds back no more than could still become a stop sequence", () => {
    const filter = createStopSequences(["stop"]);
    expect(filter.push("go on st")).toEqual({ text: "go on ", stopped: false });
    expect(filter.push("ill")).toEqual({ text: "still", stopped: false });
  });
});
