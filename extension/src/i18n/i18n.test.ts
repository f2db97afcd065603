import { parse } from "@formatjs/icu-messageformat-parser";
import { expect, test } from "vitest";
import { catalogueOf } from ".";
import de from "./de.json";
import en from "./en.json";
import sv from "./sv.json";

const catalogues: Record<string, Record<string, string>> = { en, sv, de };

const argumentsOf = (message: string) =>
  [...JSON.stringify(parse(message)).matchAll(/"type":[126],"value":"(\w+)"/g)]
    .map(([, name]) => name)
    .sort();

test.each(["sv", "de"])(
  "%s says everything that English says, with the same values",
  (name) => {
    const catalogue = catalogues[name] ?? {};
    expect(Object.keys(catalogue)).toEqual(Object.keys(en));
    for (const [id, message] of Object.entries(en)) {
      expect(catalogue[id], id).toBeTruthy();
      expect(new Set(argumentsOf(catalogue[id] ?? "")), id).toEqual(
        new Set(argumentsOf(message)),
      );
    }
  },
);

test.each([
  ["en", "en"],
  ["de", "de"],
  ["de-CH", "de"],
  ["sv", "sv"],
  ["pt-BR", "en"],
])("a user of %s reads %s", (locale, name) => {
  expect(catalogueOf(locale)).toBe(name);
});
