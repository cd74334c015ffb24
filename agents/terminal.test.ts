import { describe, expect, it } from "vitest";
import { createStatusLine, printable, printableName, printableText, type Terminal, table } from "./terminal.ts";

function screen(rows: number | undefined) {
  const written: string[] = [];
  const terminal: Terminal = {
    out: () => {},
    err: (text) => written.push(text),
    outIsTty: true,
    errIsTty: true,
    size: () => (rows === undefined ? undefined : { rows, columns: 20 }),
  };
  return { terminal, written };
}

describe("printableText, printableName", () => {
  it("behavior: an answer keeps its lines; a name that could pass for our words is in quotes", () => {
    expect(printableText("line\r\nnext\ttab\u001b[2J")).toBe("line\nnext\ttab[2J");
    expect(printableName("llama-3.3:70b@q4")).toBe("llama-3.3:70b@q4");
    expect(printableName("x by provider 9: 0.1 ETH a second\ndeposit")).toBe('"x by provider 9: 0.1 ETH a second deposit"');
  });
});

describe("printable", () => {
  it.each([
    ["\u001b[2Jgone", "[2Jgone"],
    ["a\u009b31mb", "a31mb"],
    ["line\r\nnext\ttab", "line next tab"],
    ["\u0007\u0008bell", "bell"],
    ["left\u202eright", "leftright"],
    ["日本 é 👍", "日本 é 👍"],
  ])("behavior: %j", (text, safe) => {
    expect(printable(text)).toBe(safe);
  });
});

describe("createStatusLine", () => {
  it("behavior: keeps the lowest row out of the scrolling region, and gives it back", () => {
    const { terminal, written } = screen(24);
    const status = createStatusLine(terminal);
    status.show("1.0 s");
    status.show("a line that is wider than the screen");
    status.clear();
    status.clear();
    expect(written).toEqual([
      "\n\u001b[1A\u001b7\u001b[1;23r\u001b8",
      "\u001b7\u001b[24;1H\u001b[2K1.0 s\u001b8",
      "\u001b7\u001b[24;1H\u001b[2Ka line that is wide\u001b8",
      "\u001b7\u001b[r\u001b[24;1H\u001b[2K\u001b8",
    ]);
  });

  it("behavior: writes nothing where there is no screen", () => {
    const { terminal, written } = screen(undefined);
    const status = createStatusLine(terminal);
    status.show("1.0 s");
    status.clear();
    expect(written).toEqual([]);
  });
});

describe("table", () => {
  it("behavior: columns as wide as their widest cell, nothing at the line's end", () => {
    expect(
      table(
        ["ID", "MODEL"],
        [
          ["1", "a"],
          ["200", "longer"],
        ],
      ),
    ).toBe("ID   MODEL\n1    a\n200  longer\n");
  });
});
