import { createCipheriv, createDecipheriv, randomBytes, randomUUID, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { AppError } from "@clawcompute/lib/errors";
import { checkShape } from "@clawcompute/lib/node";
import { type Hex, hexToBytes, keccak256, toHex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { z } from "zod";

const hex = (bytes?: number) =>
  z.string().regex(bytes === undefined ? /^([0-9a-fA-F]{2}){1,256}$/ : new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`), "must be hex");

/** Web3 Secret Storage, version 3: what geth, foundry and most wallets read and write. */
const keystoreShape = z.looseObject({
  version: z.literal(3),
  address: z.string().optional(),
  crypto: z.looseObject({
    cipher: z.literal("aes-128-ctr"),
    cipherparams: z.looseObject({ iv: hex(16) }),
    ciphertext: hex(32),
    kdf: z.literal("scrypt"),
    kdfparams: z.looseObject({
      dklen: z.literal(32),
      n: z.int().min(2).max(1_048_576),
      r: z.int().min(1).max(32),
      p: z.int().min(1).max(16),
      salt: hex(),
    }),
    mac: hex(32),
  }),
});
export type Keystore = z.infer<typeof keystoreShape>;

/** Cost of the password derivation: about half a second and 256 MiB, as geth's standard. */
export interface Work {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}
export const standardWork: Work = { n: 262_144, r: 8, p: 1 };

export async function encryptKey(privateKey: Hex, password: string, work: Work = standardWork): Promise<Keystore> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const derived = await derive(password, salt, work);
  const cipher = createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(hexToBytes(privateKey)), cipher.final()]);
  return {
    version: 3,
    id: randomUUID(),
    address: privateKeyToAddress(privateKey).slice(2).toLowerCase(),
    crypto: {
      cipher: "aes-128-ctr",
      cipherparams: { iv: iv.toString("hex") },
      ciphertext: ciphertext.toString("hex"),
      kdf: "scrypt",
      kdfparams: { dklen: 32, ...work, salt: salt.toString("hex") },
      mac: macOf(derived, ciphertext).toString("hex"),
    },
  };
}

/** Throws WALLET_LOCKED on a wrong password. The key never leaves in an error. */
export async function decryptKey({ crypto, address }: Keystore, password: string): Promise<Hex> {
  const { n, r, p, salt } = crypto.kdfparams;
  const derived = await derive(password, Buffer.from(salt, "hex"), { n, r, p });
  const ciphertext = Buffer.from(crypto.ciphertext, "hex");
  if (!timingSafeEqual(macOf(derived, ciphertext), Buffer.from(crypto.mac, "hex"))) {
    throw new AppError("WALLET_LOCKED", "The wallet's password is wrong.", { hint: "Try again with the right password." });
  }
  const decipher = createDecipheriv("aes-128-ctr", derived.subarray(0, 16), Buffer.from(crypto.cipherparams.iv, "hex"));
  const privateKey = toHex(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
  if (address !== undefined && privateKeyToAddress(privateKey).slice(2).toLowerCase() !== address.replace(/^0x/, "").toLowerCase()) {
    throw new AppError("CONFIG_INVALID", "The wallet file names another address than its key has.", { param: "WALLET_FILE" });
  }
  return privateKey;
}

/** Throws CONFIG_INVALID naming the wrong field. */
export function parseKeystore(text: string): Keystore {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AppError("CONFIG_INVALID", "The wallet file is not JSON.", { param: "WALLET_FILE", hint: "Name a version 3 keystore file." });
  }
  // Some writers capitalise the one key that matters.
  const { Crypto: crypto, ...rest } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  return checkShape(keystoreShape, crypto === undefined ? value : { ...rest, crypto }, "CONFIG_INVALID");
}

async function derive(password: string, salt: Buffer, { n, r, p }: Work): Promise<Buffer> {
  const memory = 128 * n * r + 128 * r * p + 1_048_576;
  if (memory > 2_147_483_648)
    throw new AppError("CONFIG_INVALID", "The wallet file asks for more than 2 GiB of memory.", { param: "WALLET_FILE" });
  const derived = promisify<string, Buffer, number, object, Buffer>(scrypt);
  // Some parameters are refused where they are used: n not a power of two, or too large for its r.
  return derived(password.normalize("NFKC"), salt, 32, { N: n, r, p, maxmem: memory }).catch((cause) => {
    throw new AppError("CONFIG_INVALID", `The wallet file's parameters n=${n}, r=${r}, p=${p} cannot be used.`, {
      param: "WALLET_FILE",
      hint: "Encrypt it anew with r=8, as most wallets do.",
      cause,
    });
  });
}

const macOf = (derived: Buffer, ciphertext: Buffer): Buffer =>
  Buffer.from(hexToBytes(keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext]))));
