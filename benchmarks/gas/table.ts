// results.md from rows: our operations against goal, best peer and floor, then every row.
import type { Row } from "./chain.ts";

interface Comparison {
  operation: string;
  /** Suite prefix and operation of what does the same elsewhere; the cheapest counts. */
  peers: readonly (readonly [suite: string, operation: string])[];
  floor?: readonly [suite: string, operation: string];
}

const llamaPay = "LlamaPay";
const flow = "Sablier Flow";
const lockup = "Sablier Lockup";
const [twoSlots, threeSlots, oneSlotToken, voucher] = [
  "Floor: 2 slots, native",
  "Floor: 3 slots, ERC-20",
  "Floor: 1 slot, ERC-20",
  "Floor: voucher channel",
] as const;

const comparisons: readonly Comparison[] = [
  {
    operation: "createStream, native, with the registry's check",
    peers: [
      [flow, "createAndDeposit"],
      [lockup, "create"],
      ["Superfluid", "batchCall: upgrade + createFlow (open with deposit)"],
      [llamaPay, "open"],
    ],
    floor: [twoSlots, "create"],
  },
  {
    operation: "createStream, ERC-20",
    peers: [
      [flow, "createAndDeposit"],
      [lockup, "create"],
      [llamaPay, "open"],
    ],
    floor: [threeSlots, "create"],
  },
  {
    operation: "withdrawFromStream, native",
    peers: [
      [flow, "withdrawMax by recipient"],
      ["Superfluid", "native: downgradeToETH by recipient"],
      [llamaPay, "withdraw"],
    ],
    floor: [twoSlots, "withdraw by recipient (push to self)"],
  },
  {
    operation: "withdrawFromStream, ERC-20",
    peers: [
      [flow, "withdrawMax by recipient"],
      [lockup, "withdrawMax by recipient"],
      [llamaPay, "withdraw"],
    ],
    floor: [threeSlots, "withdraw by recipient"],
  },
  {
    operation: "cancelStream, native, credit warm",
    peers: [
      [flow, "end a stream in one batch: withdrawMax + void + refundMax, by sender"],
      [llamaPay, "end"],
    ],
    floor: [twoSlots, "cancel, crediting the recipient"],
  },
  {
    operation: "cancelStream, ERC-20, credit warm",
    peers: [
      [flow, "end a stream in one batch: withdrawMax + void + refundMax, by sender"],
      [lockup, "end a stream in one batch: withdrawMax + cancel, by sender"],
      [llamaPay, "end"],
    ],
    floor: [threeSlots, "cancel, pushing both shares"],
  },
  {
    operation: "batchUpdateStreams, per stream, N=100, one payee",
    peers: [
      [flow, "batch of 100 withdrawMax, one recipient"],
      [lockup, "withdrawMultiple of 100, one recipient"],
      [llamaPay, "withdraw in a batch of 100, one recipient"],
    ],
    floor: [twoSlots, "batchUpdate of 100, one recipient"],
  },
  {
    operation: "batchUpdateStreams, per stream, N=100, all complete",
    peers: [
      [flow, "batch of 100 withdrawMax, one recipient"],
      [llamaPay, "withdraw in a batch of 100, one recipient"],
    ],
    floor: [twoSlots, "batchUpdate of 100, one recipient"],
  },
  {
    operation: "channel open, ERC-20",
    peers: [
      ["TempoStreamChannel", "open"],
      ["x402BatchSettlement", "deposit"],
      ["uRaiden", "open"],
    ],
    floor: [oneSlotToken, "create"],
  },
  {
    operation: "channel topUp, ERC-20",
    peers: [
      ["TempoStreamChannel", "top-up"],
      ["uRaiden", "top-up"],
    ],
    floor: [oneSlotToken, "topUp"],
  },
  {
    operation: "channel settle, ERC-20",
    peers: [
      ["TempoStreamChannel", "settle"],
      ["x402BatchSettlement", "claim and settle"],
      ["uRaiden", "withdraw"],
    ],
    floor: [oneSlotToken, "withdraw by recipient"],
  },
  {
    operation: "channel close with voucher, ERC-20",
    peers: [
      ["TempoStreamChannel", "close"],
      ["x402BatchSettlement", "claim, settle and refund"],
      ["uRaiden", "close"],
    ],
    floor: [oneSlotToken, "cancel, pushing both shares"],
  },
  { operation: "channel open, native", peers: [], floor: [voucher, "open"] },
  { operation: "channel close with voucher, native", peers: [], floor: [voucher, "close with a voucher, refunding the payer"] },
];

const number = (n: number) => n.toLocaleString("en-US");
const ratio = (ours: number, other: number) => `${(ours / other).toFixed(2)} ×`;

/** Whether a row meets its goal, `<= N`. */
export function meets(row: Row): boolean {
  const limit = /^<= (\d+)$/.exec(row.goal ?? "")?.[1];
  if (row.goal !== undefined && limit === undefined) throw new Error(`not a goal: ${row.goal}`);
  return limit === undefined || row.gasUsed <= Number(limit);
}

export function table(rows: readonly Row[], suite: string): string {
  const find = (prefix: string, operation: string) => {
    const row = rows.find((candidate) => candidate.suite.startsWith(prefix) && candidate.operation === operation);
    if (row === undefined) throw new Error(`no row ${prefix}: ${operation}`);
    return row;
  };
  const compared = comparisons.map(({ operation, peers, floor }) => {
    const ours = find(suite, operation);
    const best = peers.map(([prefix, name]) => find(prefix, name)).sort((a, b) => a.gasUsed - b.gasUsed)[0];
    const least = floor && find(...floor);
    const cells = [
      operation,
      number(ours.gasUsed),
      ours.goal === undefined ? "" : `${number(Number(ours.goal.slice(3)))}${meets(ours) ? "" : " (missed)"}`,
      best === undefined ? "" : `${best.suite} ${number(best.gasUsed)}`,
      best === undefined ? "" : ratio(ours.gasUsed, best.gasUsed),
      least === undefined ? "" : number(least.gasUsed),
      least === undefined ? "" : ratio(ours.gasUsed, least.gasUsed),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "# Gas, measured side by side",
    "",
    "Written by `npm run bench:gas`; README.md says what is measured and how. Figures are of one run and repeat exactly.",
    "",
    "## Ours against goal, best peer and floor",
    "",
    "| operation | gas | goal | best peer | ours / peer | floor | ours / floor |",
    "| --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ...compared,
    "",
    "## Every row",
    "",
    "| suite | operation | gas | goal |",
    "| --- | --- | ---: | ---: |",
    ...rows.map((row) => `| ${row.suite} | ${row.operation} | ${number(row.gasUsed)} | ${row.goal ?? ""} |`),
    "",
  ].join("\n");
}
