import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Artifact, Artifacts } from "../chain/deployment.ts";
import { AppError } from "../errors/index.ts";

/** The compiled contracts. Throws CONTRACT_MISSING when they were not built. */
export function readArtifacts(): Artifacts {
  return {
    registry: readArtifact("ComputeRegistry"),
    streamPay: readArtifact("StreamPay"),
    paymentChannel: readArtifact("PaymentChannel"),
  };
}

/** `source` is the file below `contracts/`, when it is not named after the contract. */
export function readArtifact(name: string, source = `${name}.sol`): Artifact {
  const path = fileURLToPath(new URL(`../../artifacts/contracts/${source}/${name}.json`, import.meta.url));
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Artifact;
  } catch (cause) {
    throw new AppError("CONTRACT_MISSING", `The contract ${name} is not built.`, {
      hint: "Run `hardhat build`.",
      facts: { contract: name },
      cause,
    });
  }
}
