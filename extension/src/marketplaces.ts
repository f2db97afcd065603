/**
 * Amazon's retail marketplaces: id, country and currency. The file is written from the
 * API's own table, by `tests/dashboard/test_marketplaces.py`.
 */
import table from "./marketplaces.json";

export const MARKETPLACES = table as [string, string, string][];

export const CURRENCIES = [
  ...new Set(MARKETPLACES.map(([, , currency]) => currency)),
].sort();
