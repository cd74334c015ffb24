import { AppError } from "../errors/index.ts";
import { parseAmount } from "../money/index.ts";

/** One environment variable: what it means and how its text is read. `read` gets the trimmed text and throws CONFIG_INVALID. */
export interface Setting<T> {
  readonly name: string;
  readonly describe: string;
  /** As written in .env.example; undefined = no default. */
  readonly fallback: string | undefined;
  readonly unit: string | undefined;
  readonly secret: boolean;
  readonly optional: boolean;
  readonly read: (text: string) => T;
}

interface Common {
  readonly describe: string;
  readonly fallback?: string;
  readonly unit?: string;
}

type Env = Readonly<Record<string, string | undefined>>;
export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Values<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

export function invalidConfig(name: string, reason: string, hint?: string): AppError {
  return new AppError("CONFIG_INVALID", `${name}: ${reason}`, { param: name, ...(hint ? { hint } : {}) });
}

function setting<T>(name: string, common: Common, read: (text: string) => T, secret = false): Setting<T> {
  return { name, describe: common.describe, fallback: common.fallback, unit: common.unit, secret, optional: false, read };
}

/** The same setting, but absence is allowed and reads as undefined. */
export function optional<T>(inner: Setting<T>): Setting<T | undefined> {
  return { ...inner, optional: true };
}

export const text = (name: string, common: Common & { pattern?: RegExp; maxLength?: number }): Setting<string> =>
  setting(name, common, (value) => {
    if (value.length > (common.maxLength ?? 1000)) throw invalidConfig(name, `is longer than ${common.maxLength ?? 1000} characters`);
    if (common.pattern && !common.pattern.test(value)) throw invalidConfig(name, `does not match ${common.pattern.source}`);
    return value;
  });

export const integer = (name: string, common: Common & { min: number; max: number }): Setting<number> =>
  setting(name, common, (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= common.min && number <= common.max))
      throw invalidConfig(name, `must be a whole number from ${common.min} to ${common.max}`);
    return number;
  });

/** A human amount of an asset with 18 decimals unless told, as raw units. */
export const amount = (name: string, common: Common & { decimals?: number }): Setting<bigint> =>
  setting(name, common, (value) => {
    try {
      return parseAmount(value, common.decimals ?? 18, name);
    } catch (cause) {
      throw new AppError("CONFIG_INVALID", `${name}: must be a decimal amount such as 0.0001`, { param: name, cause });
    }
  });

export const choice = <const T extends string>(name: string, common: Common & { of: readonly T[] }): Setting<T> =>
  setting(name, common, (value) => {
    const found = common.of.find((option) => option === value);
    if (found === undefined) throw invalidConfig(name, `must be one of ${common.of.join(", ")}`);
    return found;
  });

export const flag = (name: string, common: Common): Setting<boolean> =>
  setting(name, common, (value) => {
    if (["1", "true", "yes"].includes(value)) return true;
    if (["0", "false", "no"].includes(value)) return false;
    throw invalidConfig(name, "must be 1 or 0");
  });

export const url = (name: string, common: Common & { protocols?: readonly string[] }): Setting<string> =>
  setting(name, common, (value) => {
    const protocols = common.protocols ?? ["http:", "https:"];
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (!parsed || !protocols.includes(parsed.protocol)) throw invalidConfig(name, `must be a URL starting with ${protocols.join(" or ")}`);
    return value.replace(/\/+$/, "");
  });

export const list = <T>(inner: Setting<T>): Setting<readonly T[]> => ({
  ...inner,
  read: (value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean)
      .map(inner.read),
});

export const address = (name: string, common: Common): Setting<`0x${string}`> =>
  setting(name, common, (value) => {
    if (!/^0x[0-9a-fA-F]{40}$/.test(value)) throw invalidConfig(name, "must be a 0x-prefixed address of 20 bytes");
    return value as `0x${string}`;
  });

/** A private key. The value is never part of an error. */
export const privateKey = (name: string, common: Common): Setting<`0x${string}`> =>
  setting(
    name,
    common,
    (value) => {
      const key = value.startsWith("0x") ? value : `0x${value}`;
      if (!/^0x[0-9a-fA-F]{64}$/.test(key)) throw invalidConfig(name, "must be a private key: 32 bytes in hex");
      return key as `0x${string}`;
    },
    true,
  );

/** Any other secret, such as an API key. */
export const secret = (name: string, common: Common): Setting<string> =>
  setting(
    name,
    common,
    (value) => {
      if (/^(your|changeme|replace|xxx|<)/i.test(value))
        throw invalidConfig(name, "still holds a placeholder", "Put the real value there, or leave it out.");
      return value;
    },
    true,
  );

/** Reads every setting. Absent (or empty) means default; present but wrong refuses with CONFIG_INVALID naming the variable. */
export function readSettings<const S extends Settings>(settings: S, env: Env): Values<S> {
  const values: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(settings)) {
    const given = env[item.name]?.trim();
    const value = given === undefined || given === "" ? item.fallback : given;
    if (value === undefined || value === "") {
      if (!item.optional) throw invalidConfig(item.name, "is required", `Set ${item.name}: ${item.describe}.`);
      values[key] = undefined;
    } else values[key] = item.read(value);
  }
  return values as Values<S>;
}
