import { describe, expect, inject, test } from "vitest";
import {
  ask,
  expectAccessible,
  frame,
  inspect,
  narrow,
  open,
  orders,
  page,
  shoot,
  useBrowser,
} from "./browser";

useBrowser();

const rows = () => frame().locator("tbody tr");
const button = (name: string) => frame().getByRole("button", { name, exact: true });

describe("global settings", () => {
  test("E1–E4: saved, and what is wrong is said at the field", async () => {
    await inspect("settings", "/settings", (pages) =>
      pages.getByLabel("Clear log history").waitFor(),
    );
    const pages = frame();
    const interval = pages.getByLabel("Minutes between two readings of orders");
    await interval.fill("7");
    await pages.getByLabel("Clear log history").selectOption("After a week");
    await pages.getByRole("checkbox", { name: "Debug logging" }).check();
    await button("Save").click();
    await page.getByText("Saved").waitFor();
    await page.reload();
    await expect.poll(() => interval.inputValue()).toBe("7");
    expect(await settings()).toMatchObject({
      pullIntervalMinutes: 7,
      clearLogHistory: "WEEKLY",
      isDebugLogging: true,
    });
  });

  test("E4: read-only mode is switched on, said, and switched off", async () => {
    const pages = await open("/settings");
    const readOnly = pages.getByRole("checkbox", { name: "Read-only mode" });
    await readOnly.check();
    await button("Save").click();
    await page.getByText("Saved").waitFor();
    await inspect("outbox-read-only", "/outbox", (again) =>
      again.getByText("Read-only mode: orders come in").waitFor(),
    );
    await open("/settings");
    await readOnly.uncheck();
    await button("Save").click();
    await page.getByText("Saved").waitFor();
    expect(await settings()).toMatchObject({ isReadOnly: false });
  });

  test("narrow, and in German and Swedish", async () => {
    for (const [locale, text] of [
      ["de", "Protokolle löschen"],
      ["sv", "Rensa logghistorik"],
    ] as const) {
      await narrow(() =>
        inspect(
          `settings-narrow-${locale}`,
          "/settings",
          (pages) => pages.getByLabel(text).waitFor(),
          { locale },
        ),
      );
    }
  });
});

describe("SKU mappings", () => {
  test("D1: from the blocked order to its import", async () => {
    const before = (await orders({ blockerCode: ["UNKNOWN_SKU"] })).find((order) =>
      order.amazonOrderId.startsWith("203"),
    );
    if (!before) throw new Error("No order is blocked by an unknown SKU.");
    await open("/blocked");
    await rows()
      .filter({ hasText: "GHOST-SKU-404" })
      .getByRole("link", { name: "Map a seller SKU" })
      .click();
    const pages = frame();
    await expect
      .poll(() => pages.getByRole("textbox", { name: "Seller SKU" }).inputValue())
      .toBe("GHOST-SKU-404");
    await pages.getByRole("textbox", { name: "SKU in the shop" }).fill("NO-SUCH-SKU");
    await button("Map").click();
    await pages.getByText("No product variant has the SKU NO-SUCH-SKU.").waitFor();
    await expectAccessible();
    await shoot("skus-refused");
    await pages.getByRole("textbox", { name: "SKU in the shop" }).fill(await aSku());
    await pages.getByLabel("Units").fill("2");
    await button("Map").click();
    await page.getByText("Mapped. Orders that waited").waitFor();
    await rows().filter({ hasText: "GHOST-SKU-404" }).waitFor();
    await inspect("skus", "/settings/skus?account=" + (await accountOf("EU")), (again) =>
      again.getByRole("rowheader", { name: "GHOST-SKU-404" }).waitFor(),
    );
    await expect
      .poll(
        async () => {
          const [order] = await orders({ amazonOrderIds: [before.amazonOrderId] });
          return order?.orderNumber;
        },
        { timeout: 40_000, interval: 1000 },
      )
      .toBeTruthy();

    await frame()
      .getByRole("button", { name: "Delete the mapping of GHOST-SKU-404" })
      .click();
    const dialog = frame().getByRole("dialog");
    await expectAccessible();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await frame().getByText("No SKU is mapped").waitFor();
    await narrow(() =>
      inspect(
        "skus-narrow-german",
        "/settings/skus",
        (again) => again.getByText("Keine SKU ist zugeordnet").waitFor(),
        { locale: "de" },
      ),
    );
  });
});

describe("carriers", () => {
  test("are tried without saving, saved, and taken away", async () => {
    const at = `/settings/carriers?account=${await accountOf("EU")}`;
    await inspect("carriers", at, (pages) =>
      pages.getByRole("rowheader", { name: "DHL" }).waitFor(),
    );
    await button("Map a carrier").click();
    const dialog = frame().getByRole("dialog");
    await dialog.getByLabel("Carrier in the shop").fill("Our van");
    await dialog.getByLabel("Carrier code").fill("Other");
    await dialog.getByLabel("Name to give with Other").fill("Own delivery");
    await dialog.getByRole("button", { name: "Try without saving" }).click();
    await dialog.getByText("Other, Own delivery").waitFor();
    await expectAccessible();
    await shoot("carriers-try");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await frame().getByRole("cell", { name: "Other (Own delivery)" }).waitFor();

    await frame().getByRole("button", { name: "Edit Our van" }).click();
    await dialog.getByLabel("Carrier code").fill("");
    await dialog.getByRole("button", { name: "Save" }).click();
    await frame()
      .getByRole("rowheader", { name: "Our van" })
      .waitFor({ state: "detached" });
    await narrow(() =>
      inspect(
        "carriers-narrow-swedish",
        at,
        (pages) => pages.getByRole("rowheader", { name: "DHL" }).waitFor(),
        { locale: "sv" },
      ),
    );
  });
});

describe("listings", () => {
  test("where no marketplace tells Amazon of stock, it is said what to do", async () => {
    await inspect(
      "listings-none",
      `/settings/listings?account=${await accountOf("NA")}`,
      (pages) => pages.getByText("No listings are known").waitFor(),
    );
  });

  test("show what Amazon was told, and why not", async () => {
    const sku = await aSku();
    for (const each of [sku, "NOT-IN-THE-SHOP"]) await list(each);
    await ask(
      `mutation ($id: ID!) { amazonMarketplaceUpdate(id: $id, input: { sendStock: true }) {
        errors { message } } }`,
      { id: await marketplaceOf("Japan") },
    );
    const at = `/settings/listings?account=${await accountOf("FE")}`;
    await expect
      .poll(
        async () => {
          await open(at);
          await frame()
            .getByText(/entries|entry/)
            .waitFor();
          return rows().count();
        },
        { timeout: 50_000, interval: 2000 },
      )
      .toBe(2);
    await inspect("listings", at, (pages) => pages.locator("tbody tr").first().waitFor());
    const told = rows().filter({ hasText: sku });
    await told.getByText("Told").waitFor();
    expect(await told.innerText()).toContain("Japan");
    await rows().filter({ hasText: "NOT-IN-THE-SHOP" }).getByText("Unknown SKU").waitFor();
    await narrow(() =>
      inspect(
        "listings-narrow-swedish",
        at,
        (pages) => pages.locator("tbody tr").first().waitFor(),
        { locale: "sv" },
      ),
    );
  });
});

describe("older orders", () => {
  test("are counted first, with progress, and the form says what is wrong", async () => {
    const at = `/settings/backfill?account=${await accountOf("EU")}`;
    await inspect("backfill-none", at, (pages) =>
      pages.getByText("No older orders were asked for").waitFor(),
    );
    const pages = frame();
    const local = (days: number) => {
      const date = new Date(Date.now() - days * 86_400_000);
      return date.toISOString().slice(0, 16);
    };
    await pages.getByLabel("From").fill(local(1000));
    await pages.getByLabel("To", { exact: true }).fill(local(1));
    await button("Start").click();
    await pages.locator("[aria-invalid=true]").first().waitFor();
    await expectAccessible();
    await shoot("backfill-refused");
    await pages.getByLabel("From").fill(local(60));
    await button("Start").click();
    await page.getByText("The workers are at it.").waitFor();
    await pages.getByText("Only counted", { exact: true }).waitFor();
    await pages.getByText("Finished").waitFor({ timeout: 50_000 });
    await inspect("backfill", at, (again) => again.getByText("Finished").waitFor());
    await narrow(() =>
      inspect(
        "backfill-narrow-german",
        at,
        (again) => again.getByText("Fertig", { exact: true }).waitFor(),
        { locale: "de" },
      ),
    );
  });
});

describe("communication errors", () => {
  test("C7: store, code, message, created", async () => {
    await fault({
      operation: "searchOrders",
      kind: "unauthorized",
      seller_id: "A1SANDBOXFE",
    });
    await ask("mutation { amazonOrdersImport { queued errors { message } } }");
    await expect
      .poll(async () => (await failures()).length, { timeout: 40_000, interval: 1000 })
      .toBeGreaterThan(0);
    await inspect("log", "/settings/log", (pages) =>
      pages.locator("tbody tr").first().waitFor(),
    );
    const [failure] = await failures();
    expect(await rows().first().locator("td").nth(1).innerText()).toBe("Sandbox FE");
    expect(await rows().first().locator("td").nth(3).innerText()).toBe(failure?.errorCode);
    await frame().getByLabel("Error code").fill("Other");
    await frame().getByLabel("Error code").press("Enter");
    await frame().getByText("Nothing fits").waitFor();
    await narrow(() =>
      inspect(
        "log-narrow-german",
        "/settings/log",
        (pages) => pages.locator("tbody tr").first().waitFor(),
        { locale: "de" },
      ),
    );
  });
});

const settings = async () =>
  (
    await ask<{ amazonSettings: object }>(
      `{ amazonSettings { pullIntervalMinutes isReadOnly isDebugLogging
        clearLogHistory } }`,
    )
  ).amazonSettings;

async function failures() {
  const data = await ask<{
    amazonCommunicationLog: { edges: { node: { errorCode: string } }[] };
  }>("{ amazonCommunicationLog(first: 5) { edges { node { errorCode } } } }");
  return data.amazonCommunicationLog.edges.map(({ node }) => node);
}

async function fault(what: object) {
  const answer = await fetch(`${inject("sandbox")}/_sandbox/faults`, {
    method: "POST",
    body: JSON.stringify(what),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

async function accountOf(region: string): Promise<string> {
  const data = await ask<{ amazonAccounts: { id: string; name: string }[] }>(
    "{ amazonAccounts { id name } }",
  );
  const found = data.amazonAccounts.find(({ name }) => name === `Sandbox ${region}`);
  return encodeURIComponent(found?.id ?? "");
}

/** The seller lists it in Japan. */
async function list(sku: string) {
  const answer = await fetch(`${inject("sandbox")}/_sandbox/listings`, {
    method: "POST",
    body: JSON.stringify({
      sku,
      seller_id: "A1SANDBOXFE",
      marketplace_ids: ["A1VC38T7YXB528"],
      title: "A mug",
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

async function marketplaceOf(name: string): Promise<string> {
  const data = await ask<{
    amazonAccounts: { marketplaces: { id: string; name: string }[] }[];
  }>("{ amazonAccounts { marketplaces { id name } } }");
  const all = data.amazonAccounts.flatMap(({ marketplaces }) => marketplaces);
  return all.find((each) => each.name === name)?.id ?? "";
}

/** A SKU that the shop has. */
async function aSku(): Promise<string> {
  const data = await ask<{
    amazonOrders: { edges: { node: { items: { sellerSku: string }[] } }[] };
  }>(
    `{ amazonOrders(first: 1, filter: { importState: [IMPORTED] }) {
      edges { node { items { sellerSku } } } } }`,
  );
  return data.amazonOrders.edges[0]?.node.items[0]?.sellerSku ?? "";
}
