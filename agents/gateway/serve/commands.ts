import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { z } from "zod";
import type { CommandContext } from "../../command.ts";
import { exitCodes } from "../../exitCodes.ts";
import { printable, printableName, table } from "../../terminal.ts";
import { inWords } from "../asset.ts";
import { spendGroups } from "../ledger/spend.ts";
import { askGateway } from "./askGateway.ts";

const raw = z.string().regex(/^-?\d{1,78}$/);

const spendReport = z.looseObject({
  symbol: z.string(),
  decimals: z.int().min(0).max(255),
  gasSymbol: z.string(),
  by: z.string(),
  rows: z.array(
    z.looseObject({
      group: z.string(),
      requests: z.number(),
      failed: z.number(),
      costWei: raw,
      servedMs: z.number(),
      unitsIn: z.number(),
      unitsOut: z.number(),
    }),
  ),
  paidWei: raw,
  refundedWei: raw,
  gasWei: raw,
  overheadWei: raw,
  streams: z.number(),
});
const reconciliation = z.looseObject({
  streams: z.number(),
  differences: z.array(z.looseObject({ streamId: z.string(), kind: z.string() })),
});

export interface SpendFlags {
  readonly by?: string;
  readonly days?: string;
  readonly csv?: boolean;
  readonly check?: boolean;
}

/** `claw spend`: where the money went, as the running gateway's books say. */
export async function spendMain(
  { by = "day", days = "30", csv, check }: SpendFlags,
  { env, terminal, json }: CommandContext,
): Promise<number> {
  if (!(spendGroups as readonly string[]).includes(by)) {
    throw new AppError("BAD_REQUEST", `by must be one of ${spendGroups.join(", ")}.`, { param: "by", hint: "Correct --by." });
  }
  if (!/^\d{1,4}$/.test(days) || Number(days) < 1)
    throw new AppError("BAD_REQUEST", "days must be a whole number.", { param: "days", hint: "Correct --days." });
  if (csv) {
    terminal.out(await (await askGateway(env, `/gateway/spend?format=csv&days=${days}`)).text());
    return exitCodes.done;
  }
  const body: unknown = await (await askGateway(env, `/gateway/spend?by=${by}&days=${days}`)).json();
  const checked = check ? reconciliation.parse(await (await askGateway(env, "/gateway/reconcile")).json()) : undefined;
  if (json) terminal.out(`${JSON.stringify(checked ? { ...(body as object), reconciliation: checked } : body)}\n`);
  else {
    terminal.out(spendText(spendReport.parse(body)));
    if (checked) terminal.out(checkText(checked));
  }
  return checked && checked.differences.length > 0 ? exitCodes.chain : exitCodes.done;
}

function spendText({
  symbol,
  decimals,
  gasSymbol,
  by,
  rows,
  paidWei,
  refundedWei,
  gasWei,
  overheadWei,
  streams,
}: z.infer<typeof spendReport>): string {
  const coins = (wei: string) => inWords({ symbol: printable(symbol), decimals }, BigInt(wei));
  const lines = table(
    [by.toUpperCase(), "REQUESTS", "FAILED", "SERVED", "TOKENS IN", "TOKENS OUT", "COST"],
    rows.map(({ group, requests, failed, servedMs, unitsIn, unitsOut, costWei }) => [
      printable(group),
      String(requests),
      String(failed),
      `${(servedMs / 1000).toFixed(1)} s`,
      String(unitsIn),
      String(unitsOut),
      coins(costWei),
    ]),
  );
  return `${lines}
paid      ${coins(paidWei)} over ${streams} ended streams; ${coins(refundedWei)} came back
overhead  ${coins(overheadWei)} of it for time that no answer was billed for
gas       ${formatAmount(BigInt(gasWei))} ${printable(gasSymbol)}
`;
}

function checkText({ streams, differences }: z.infer<typeof reconciliation>): string {
  if (differences.length === 0) return `books     agree with the chain on all ${streams} streams\n`;
  const words: Readonly<Record<string, string>> = {
    not_kept: "is on the chain, but not in the books (another program with this wallet?)",
    amounts: "was paid otherwise than the books say",
    open: "is closed on the chain, but open in the books",
  };
  return differences.map(({ streamId, kind }) => `stream ${printable(streamId)} ${words[kind] ?? printable(kind)}\n`).join("");
}

const ranking = z.array(
  z.looseObject({
    place: z.number(),
    providerId: z.number(),
    model: z.string(),
    pricePerSecond: z.string(),
    expectedCostWei: raw,
    expectedCost: z.string().optional(),
    expectedSeconds: z.number(),
    success: z.number(),
    openStream: z.boolean(),
    coolingUntil: z.string().nullable(),
    lastFailure: z.string().nullable(),
    ownAnswers: z.number(),
    score: z.number(),
  }),
);
const explanation = z.looseObject({
  asked: z.string(),
  chosen: z.number().nullable(),
  ranking,
  attempts: z.array(z.looseObject({ providerId: z.number(), code: z.string() })).optional(),
});

/** `claw why [model]` and `claw why --request <id>`. */
export async function whyMain(
  model: string | undefined,
  { request }: { readonly request?: string },
  { env, terminal, json }: CommandContext,
): Promise<number> {
  const query = request === undefined ? `model=${encodeURIComponent(model ?? "auto")}` : `request=${encodeURIComponent(request)}`;
  const body: unknown = await (await askGateway(env, `/gateway/why?${query}`)).json();
  if (json) {
    terminal.out(`${JSON.stringify(body)}\n`);
    return exitCodes.done;
  }
  const { asked, chosen, ranking: places, attempts = [] } = explanation.parse(body);
  terminal.out(
    table(
      ["", "PROVIDER", "MODEL", "PRICE/S", "USUAL ANSWER", "SUCCESS", "OWN ANSWERS", "NOW"],
      places.map((entry) => [
        entry.providerId === chosen ? "*" : "",
        String(entry.providerId),
        printableName(entry.model),
        printable(entry.pricePerSecond),
        `${printable(entry.expectedCost ?? formatAmount(BigInt(entry.expectedCostWei)))} in ${entry.expectedSeconds.toFixed(1)} s`,
        `${Math.round(entry.success * 100)} %`,
        String(entry.ownAnswers),
        entry.coolingUntil
          ? `rests until ${printable(entry.coolingUntil)} (${printable(entry.lastFailure ?? "")})`
          : entry.openStream
            ? "stream open"
            : "",
      ]),
    ),
  );
  for (const { providerId, code } of attempts)
    terminal.out(`${providerId === 0 ? "the own server" : `provider ${providerId}`} did not answer: ${printable(code)}\n`);
  terminal.out(
    `${printable(asked)} goes to ${chosen === null ? "nobody" : `provider ${chosen}`}: lowest product of cost and time for a usual answer, failures counted in; an open stream counts 20 % for staying.\n`,
  );
  return exitCodes.done;
}

const modelList = z.looseObject({
  data: z.array(
    z.looseObject({
      id: z.string(),
      clawcompute: z.looseObject({
        providerId: z.number().nullable(),
        pricePerSecond: z.string().nullable(),
        providers: z.number(),
        service: z.string(),
        ownFirstTokenMs: z.number().nullable(),
        ownTokensPerSecond: z.number().nullable(),
        local: z.boolean(),
      }),
    }),
  ),
});

/** `claw models`: names that the running gateway takes. */
export async function modelsMain({ env, terminal, json }: CommandContext): Promise<number> {
  const body: unknown = await (await askGateway(env, "/v1/models")).json();
  if (json) {
    terminal.out(`${JSON.stringify(body)}\n`);
    return exitCodes.done;
  }
  const known = (value: number | null, unit: string) => (value === null ? "" : `${value} ${unit}`);
  terminal.out(
    table(
      ["NAME", "SERVICE", "PROVIDER", "PRICE/S", "FIRST TOKEN", "SPEED"],
      modelList
        .parse(body)
        .data.map(({ id, clawcompute: details }) => [
          printable(id),
          details.service,
          details.local ? "own server" : details.providerId === null ? `${details.providers} to choose from` : String(details.providerId),
          printable(details.pricePerSecond ?? ""),
          known(details.ownFirstTokenMs, "ms"),
          known(details.ownTokensPerSecond, "tokens/s"),
        ]),
    ),
  );
  return exitCodes.done;
}
