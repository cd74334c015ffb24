import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isPublicAddress } from "./privateRanges.ts";

describe("isPublicAddress", () => {
  it.each([
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:a00:1",
    "::ffff:169.254.169.254",
    "0:0:0:0:0:ffff:c0a8:0101",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "localhost",
    "127.1",
    "0x7f.1",
    "",
    "[::1]",
  ])("error: %s is not dialled", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "::ffff:808:808",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:830::200e",
  ])("behavior: %s is public", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it("behavior: an IPv4 address is judged the same in each of its IPv6-mapped spellings", () => {
    for (let run = 0; run < Number(process.env.FUZZ_RUNS ?? 500); run += 1) {
      const bytes = [...randomBytes(4)];
      const dotted = bytes.join(".");
      const [high, low] = [0, 2].map((at) => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
      const judged = isPublicAddress(dotted);
      expect([dotted, isPublicAddress(`::ffff:${dotted}`), isPublicAddress(`0:0:0:0:0:ffff:${high}:${low}`)]).toEqual([
        dotted,
        judged,
        judged,
      ]);
      expect(isPublicAddress(`64:ff9b::${dotted}`)).toBe(false);
    }
  });

  it("behavior: everything private by an independent reading of the ranges is refused", () => {
    const isPrivate = ([a = 0, b = 0]: number[]) =>
      a === 0 ||
      a === 10 ||
      a === 127 ||
      a >= 224 ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b < 128);
    for (let run = 0; run < Number(process.env.FUZZ_RUNS ?? 500); run += 1) {
      const bytes = [...randomBytes(4)];
      if (run % 2) bytes[0] = [10, 127, 172, 192, 169, 100, 0][run % 7] as number;
      if (isPrivate(bytes)) expect([bytes.join("."), isPublicAddress(bytes.join("."))]).toEqual([bytes.join("."), false]);
    }
  });
});
