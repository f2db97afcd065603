// The shipped files are what the sources give: builds them again beside, and compares.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const shipped = new URL("../saleor_amazon_channel/dashboard/static", import.meta.url)
  .pathname;
const again = mkdtempSync(join(tmpdir(), "extension-"));
const JS_LIMIT = 350 * 1024;

const read = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path)]),
  );

try {
  const build = ["vite", "build", "--outDir", again, "--emptyOutDir", "--logLevel", "warn"];
  if (spawnSync("npx", build, { stdio: "inherit" }).status) process.exit(1);
  const [before, after] = [read(shipped), read(again)];
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => !before.get(name)?.equals(after.get(name) ?? Buffer.alloc(0)),
  );
  if (differing.length) {
    console.error("The shipped pages are not what the sources give. Run `make extension`.");
    for (const name of differing) console.error(`  ${name}`);
    process.exit(1);
  }
  const { gzipSync } = await import("node:zlib");
  const size = [...after].reduce(
    (sum, [name, content]) => sum + (name.endsWith(".js") ? gzipSync(content).length : 0),
    0,
  );
  if (size > JS_LIMIT) {
    console.error(`JavaScript is ${size} bytes gzipped; ${JS_LIMIT} are allowed.`);
    process.exit(1);
  }
  console.log(
    `The shipped pages are as built: ${after.size} files, ${size} bytes of gzipped JavaScript.`,
  );
} finally {
  rmSync(again, { recursive: true, force: true });
}
