import { readdirSync, readFileSync } from "node:fs";
import { buildSchema, isEnumType } from "graphql";
import { expect, test } from "vitest";
import de from "./de.json";
import en from "./en.json";
import sv from "./sv.json";

const catalogues: [string, Record<string, string>][] = [
  ["en", en],
  ["de", de],
  ["sv", sv],
];
/** From `extension`, where the tests run. */
const read = (path: string) => readFileSync(`../${path}`, "utf8");

const schema = buildSchema(
  ["docs/schema.graphql", "extension/saleor.graphql"].map(read).join("\n"),
  { assumeValidSDL: true },
);

/** The codes that the server can send, as its schema has them. */
const codes = (name: string) => {
  const type = schema.getType(name);
  if (!isEnumType(type)) throw new Error(`${name} is no enum of docs/schema.graphql`);
  return type.getValues().map((value) => value.name);
};

test.each(catalogues)("%s has a text for each code of the schema", (_name, catalogue) => {
  const wanted = [
    ...codes("AmazonBlockerCode").flatMap((code) => [
      `blocker.${code}`,
      `blockerText.${code}`,
    ]),
    ...codes("AmazonChannelErrorCode").map((code) => `error.${code}`),
    ...codes("AmazonImportState").map((code) => `state.${code}`),
    ...codes("AmazonOutboxKind").map((code) => `kind.${code}`),
    ...codes("AmazonOutboxState").map((code) => `outbox.${code}`),
    ...codes("AmazonRefundState").map((code) => `refundState.${code}`),
    ...codes("AmazonCancelReason").map((code) => `reason.${code}`),
  ];
  expect(wanted.length).toBeGreaterThan(50);
  expect(wanted.filter((id) => !catalogue[id])).toEqual([]);
});

/** The server's Python files. */
const sources = readdirSync("../saleor_amazon_channel", { recursive: true })
  .map(String)
  .filter((path) => path.endsWith(".py"))
  .map((path) => ({ path, text: read(`saleor_amazon_channel/${path}`) }));

const found = (pattern: RegExp, paths: RegExp) =>
  new Set(
    sources
      .filter(({ path }) => paths.test(path))
      .flatMap(({ text }) => [...text.matchAll(pattern)].map(([, code]) => code ?? "")),
  );

test("each type of the timeline that the server's sources name has a title", () => {
  const types = new Set([
    ...found(/timeline\.add\(\s*[\w.]+,\s*"(\w+)"/g, /./),
    ...found(/events\.append\(\s*\([\w.]+, "(\w+)"/g, /./),
    ...found(/^ {4}"(\w+)",$/gm, /^ledger\/timeline\.py$/),
    // In the news of imported orders a type stands alone on its line.
    ...found(/^ +"(\w+)",\n +(?:f?"|\()/gm, /^importing\/news\.py$/),
  ]);
  types.delete("packages");
  expect(types.size).toBeGreaterThan(25);
  expect([...types].filter((type) => !(`event.${type}` in en))).toEqual([]);
});

test("each of our own codes for what Amazon was not told has a text", () => {
  const own = found(/error_code="([A-Z_]+)"/g, /^pushing\//);
  expect(own.size).toBeGreaterThan(12);
  expect([...own].filter((code) => !(`outboxError.${code}` in en))).toEqual([]);
});
