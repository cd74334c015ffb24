import { homedir } from "node:os";
import { join } from "node:path";
import { amount, optional, readSettings, text } from "@clawcompute/lib/config/env";

/** Settings of the claw commands that are neither the wallet's nor the gateway's. */
export const settings = {
  receiptsFile: optional(
    text("RECEIPTS_FILE", { describe: "file that collects signed receipts; by default ~/.clawcompute/receipts.jsonl" }),
  ),
  mcpMaxSpend: amount("MCP_MAX_SPEND", {
    describe: "most that one run of claw mcp may spend, what it has deposited included",
    fallback: "0.05",
    unit: "coin",
  }),
};

export const receiptsFileOf = (env: Readonly<Record<string, string | undefined>>): string =>
  readSettings({ file: settings.receiptsFile }, env).file ?? join(homedir(), ".clawcompute", "receipts.jsonl");
