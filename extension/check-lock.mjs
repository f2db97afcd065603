// The lock file names no registry, so that the packages come from whichever npm has set.
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const named = Object.entries(packages).filter(([, entry]) => entry.resolved);
if (named.length) {
  console.error(
    "package-lock.json names where packages come from; install with .npmrc's settings:",
  );
  for (const [name] of named) console.error(`  ${name}`);
  process.exit(1);
}
