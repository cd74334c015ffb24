// Changes the endpoint of one's own provider on chain.
import { readOffer, registryWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { isLocalEndpoint } from "../agents/provider/isLocalEndpoint.ts";
import { runScript } from "./chainScript.ts";
import { connectOwner } from "./providerOwner.ts";

const help = `
update-provider: change a provider's endpoint on chain

  PRIVATE_KEY=… node scripts/update-provider.ts URL ID [--allow-local]

  URL               the new endpoint
  ID                the provider's id, see list-providers
  --allow-local     replace a remote endpoint by a local one`;

await runScript(help, { "allow-local": { type: "boolean" } }, async ({ flags, positionals, env, print }) => {
  const [endpoint, idText, ...more] = positionals;
  if (endpoint === undefined || idText === undefined || more.length)
    throw new AppError("BAD_REQUEST", "Give a URL and an id.", { hint: "See --help." });
  if (!URL.canParse(endpoint) || !["http:", "https:"].includes(new URL(endpoint).protocol)) {
    throw new AppError("BAD_REQUEST", `URL: ${endpoint} is no http or https URL.`, {
      param: "URL",
      hint: "For example https://gpu.example.org/inference",
    });
  }
  const { username, password } = new URL(endpoint);
  if (username || password) {
    throw new AppError("BAD_REQUEST", "URL: carries a user name or password, which the chain would show to everybody.", {
      param: "URL",
      hint: "Give the URL without them; access is by payment.",
    });
  }
  if (!/^[1-9]\d{0,9}$/.test(idText))
    throw new AppError("BAD_REQUEST", `ID: ${idText} is no provider id.`, { param: "ID", hint: "The ids are in list-providers." });
  const id = Number(idText);
  const { chain, sender } = await connectOwner(env);
  const { model, pricePerSecond, active, endpoint: before } = await readOffer(chain, id);
  if (isLocalEndpoint(endpoint) && !isLocalEndpoint(before) && !flags["allow-local"]) {
    throw new AppError("BAD_REQUEST", `URL: ${endpoint} is reachable from this machine only, and would replace ${before}.`, {
      param: "URL",
      hint: "Give the public URL, or --allow-local if you mean it.",
    });
  }
  if (before === endpoint) return print([`Provider ${id} (${model}) has this endpoint already.`], { id, endpoint, changed: false });
  const { hash, feeWei } = await sender.send(registryWrites.updateProvider({ id, pricePerSecond, endpoint, active }));
  const cost = `${formatAmount(feeWei)} ${chain.network.nativeSymbol}`;
  print([`Provider ${id} (${model}): ${before} -> ${endpoint}`, `transaction ${hash}, gas ${cost}`], {
    id,
    endpoint,
    before,
    changed: true,
    hash,
    feeWei,
  });
});
