// The indexer as a process of its own, for tests that kill it.
import { main } from "../main.ts";

await main({ argv: process.argv.slice(2), env: process.env });
