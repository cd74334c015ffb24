// Faults to put into Solidity: operators, bounds, constants, removed statements and swapped parties. Text in, texts out.

export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** The function it is in; empty outside of any. */
  readonly fn: string;
  readonly change: string;
  readonly source: string;
}

interface Rule {
  readonly find: RegExp;
  readonly put: readonly string[];
}

const RULES: readonly Rule[] = [
  { find: /(?<=[\w)\]] )<=(?= )/g, put: ["<", ">"] },
  { find: /(?<=[\w)\]] )>=(?= )/g, put: [">", "<"] },
  { find: /(?<=[\w)\]] )<(?= [\w(])/g, put: ["<=", ">"] },
  { find: /(?<=[\w)\]] )>(?= [\w(])/g, put: [">=", "<"] },
  { find: / == /g, put: [" != "] },
  { find: / != /g, put: [" == "] },
  { find: / && /g, put: [" || "] },
  { find: / \|\| /g, put: [" && "] },
  { find: /(?<=[(\s&|])!(?=[\w(])/g, put: [""] },
  { find: / \+ /g, put: [" - "] },
  { find: / - /g, put: [" + "] },
  { find: / \* /g, put: [" / "] },
  { find: / \/ /g, put: [" * "] },
  { find: / << /g, put: [" >> "] },
  { find: / >> /g, put: [" << "] },
  { find: / \| (?=\w)/g, put: [" & "] },
  { find: / & /g, put: [" | "] },
  { find: / \+= /g, put: [" = ", " -= "] },
  { find: / -= /g, put: [" = ", " += "] },
  { find: /\+\+(?=[\w])/g, put: ["--"] },
  { find: /(?<=\w)\+\+/g, put: ["--"] },
  { find: /--(?=\w)/g, put: ["++"] },
  { find: /\btrue\b/g, put: ["false"] },
  { find: /\bfalse\b/g, put: ["true"] },
  { find: /(?<![\w.])\d[\d_]*(?![\w.])/g, put: ["#+1", "#-1"] },
  { find: /\b365 days\b/g, put: ["364 days"] },
  // swapped parties and sides
  { find: /\bterms\.payer\(\)/g, put: ["account.payee()"] },
  { find: /\baccount\.payee\(\)/g, put: ["terms.payer()"] },
  { find: /\bterms\.end\(\)/g, put: ["account.lastPaid()"] },
  { find: /\baccount\.lastPaid\(\)/g, put: ["account.start()"] },
  { find: /\baccount\.start\(\)/g, put: ["account.lastPaid()"] },
  { find: /\brefunded\b/g, put: ["paid"] },
  { find: /(?<=[(, ])paid\b/g, put: ["refunded"] },
  { find: /\bmsg\.sender\b/g, put: ["address(this)", "tx.origin"] },
  { find: /\bupTo\b/g, put: ["block.timestamp"] },
  { find: /(?<=, )recipient\b/g, put: ["payer"] },
  { find: /(?<=\()asset(?=,)/g, put: ["address(0)"] },
  { find: / nonReentrant/g, put: [""] },
  { find: /\bwhenNotUsed\b/g, put: [""] },
];

/** Blanks comments, strings and imports, keeping every position. */
export function mask(source: string): string {
  const blank = (text: string) => text.replace(/[^\n]/g, " ");
  return source
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/g, blank)
    .replace(/^(?:import|pragma)[^;]*;/gm, blank)
    .replace(/^ {4}(?:error|event) [^;]*;/gm, blank);
}

const startOfFunction = /^ {0,4}(?:function (?<name>\w+)|(?<special>constructor|receive)\b)/;

function functionAt(lines: readonly string[], line: number): string {
  for (let i = line; i >= 0; i--) {
    const match = startOfFunction.exec(lines[i] ?? "");
    if (match?.groups) return match.groups.name ?? match.groups.special ?? "";
    if (/^ {0,4}\}/.test(lines[i] ?? "") && i < line) return "";
  }
  return "";
}

/** A number's neighbour. */
function neighbour(text: string, put: string): string | undefined {
  const value = BigInt(text.replaceAll("_", ""));
  const next = put === "#+1" ? value + 1n : value - 1n;
  return next < 0n ? undefined : next.toString();
}

/** Statements of a body that can be left out: calls, assignments, `emit`, and `if (...) revert ...`. */
function statements(masked: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (const match of masked.matchAll(
    /^ {8,}(?=\S)(?!return\b|\}|\{|for\b|while\b|else\b|unchecked\b|assembly\b|case\b|switch\b|default\b)/gm,
  )) {
    const start = match.index + match[0].length;
    const rest = masked.slice(start);
    const end = rest.indexOf(";");
    const brace = rest.indexOf("{");
    if (end < 0 || (brace >= 0 && brace < end && !/^try\b/.test(rest))) continue;
    const text = rest.slice(0, end + 1);
    // A declaration that is used would not compile without it; one call or assignment a statement.
    if (/^(?:uint\d*|address|bytes\d*|bool|string|\(|Terms|Account|Escrow|Entry|Book|\w+ (?:memory|storage|calldata))\b/.test(text))
      continue;
    if (text.startsWith("try")) continue;
    found.push({ start, end: start + end + 1 });
  }
  return found;
}

/** Every mutant of a file that the rules make; whether it compiles is for the compiler to say. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const masked = mask(source);
  const lines = masked.split("\n");
  const mutants: Mutant[] = [];
  const add = (start: number, end: number, text: string) => {
    const line = masked.slice(0, start).split("\n").length - 1;
    const before = source.slice(start, end).replace(/\s+/g, " ").trim();
    const change = text.trim() === "" ? `remove: ${before}` : `${before} → ${text.trim()}`;
    const context = source.split("\n")[line]?.trim() ?? "";
    mutants.push({
      file,
      line: line + 1,
      fn: functionAt(lines, line),
      change: `${change}    in: ${context}`,
      source: source.slice(0, start) + text + source.slice(end),
    });
  };
  for (const { find, put } of RULES) {
    for (const match of masked.matchAll(find)) {
      for (const text of put) {
        const instead = text.startsWith("#") ? neighbour(match[0], text) : text;
        if (instead !== undefined) add(match.index, match.index + match[0].length, instead);
      }
    }
  }
  for (const { start, end } of statements(masked)) add(start, end, "");
  return mutants;
}

/** For each function of a contract, the external functions through which it runs; what tests to try first. */
export function callersOf(source: string): Map<string, Set<string>> {
  const masked = mask(source);
  const bodies = new Map<string, { text: string; external: boolean }[]>();
  for (const match of masked.matchAll(/^ {4}function (\w+)[\s\S]*?(?:\n {4}\}|;)/gm)) {
    const name = match[1] ?? "";
    const external = /\b(?:external|public)\b/.test(match[0]);
    bodies.set(name, [...(bodies.get(name) ?? []), { text: match[0], external }]);
  }
  const callers = new Map<string, Set<string>>();
  const visit = (name: string, seen: Set<string>): Set<string> => {
    const found = new Set<string>();
    if (bodies.get(name)?.some(({ external }) => external)) found.add(name);
    for (const [other, list] of bodies) {
      if (seen.has(other) || other === name || !list.some(({ text }) => new RegExp(`\\b${name}\\(`).test(text))) continue;
      for (const external of visit(other, new Set([...seen, name]))) found.add(external);
    }
    return found;
  };
  for (const name of bodies.keys()) callers.set(name, visit(name, new Set()));
  return callers;
}
