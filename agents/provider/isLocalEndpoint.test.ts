import { expect, test } from "vitest";
import { isLocalEndpoint } from "./isLocalEndpoint.ts";

test.each([
  ["http://localhost:3001", true],
  ["http://LOCALHOST", true],
  ["http://a.localhost/inference", true],
  ["http://127.1.2.3", true],
  ["http://127.1", true],
  ["http://[::1]:1", true],
  ["http://[::]:1", true],
  ["http://0.0.0.0", true],
  ["ftp://gpu.example.org", true],
  ["nonsense", true],
  ["", true],
  ["https://gpu.example/inference", false],
  ["http://10.0.0.5:3001", false],
  ["https://localhost.example", false],
])("behavior: %s → %s", (endpoint, local) => expect(isLocalEndpoint(endpoint)).toBe(local));
