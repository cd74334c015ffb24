// Gets PostgreSQL for the tests that want a real server; on Debian, as root, it is installed when missing.
import { findPostgres } from "@clawcompute/lib/testing";
import { installPackage } from "./installPackage.ts";

if (!findPostgres()) installPackage("postgresql");
const found = findPostgres();
console.log(found ? `PostgreSQL: ${found}` : "PostgreSQL is not installed: the tests that need it are skipped");
