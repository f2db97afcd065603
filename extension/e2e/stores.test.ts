import { describe, expect, inject, test } from "vitest";
import {
  ask,
  dashboardPath,
  expectAccessible,
  frame,
  inspect,
  narrow,
  open,
  page,
  shoot,
  useBrowser,
} from "./browser";

useBrowser();

describe("Amazon stores", () => {
  test("C1, C2, C6: cards, recent orders, and the banner of what is blocked", async () => {
    await inspect("stores", "/stores", async (pages) => {
      await pages.getByRole("heading", { name: "Sandbox EU" }).waitFor();
      await pages.getByText("Recent orders").waitFor();
      await pages.getByText(/causes keep Amazon orders/).waitFor();
    });
    expect(await frame().locator("tbody tr").count()).toBe(10);
    await frame().getByRole("link", { name: "See blocked orders" }).click();
    await frame().getByRole("heading", { name: "Blocked orders" }).waitFor();
    expect(dashboardPath()).toBe("app:/blocked");
  });

  test("blocked orders by cause, each with its orders", async () => {
    await inspect("blocked", "/blocked", (pages) =>
      pages.locator("tbody tr").first().waitFor(),
    );
    const row = frame().locator("tbody tr").first();
    const count = Number(await row.locator("td").nth(2).innerText());
    await row.getByRole("link", { name: "Show orders" }).click();
    await frame().getByRole("heading", { name: "Amazon orders" }).waitFor();
    await expect.poll(() => frame().locator("tbody tr").count()).toBe(count);
    expect(dashboardPath()).toMatch(/^app:\/orders\?state=BLOCKED&code=\w+&cause=/);
  });

  test("an account is paused and resumed", async () => {
    const pages = await open("/stores");
    const card = pages.getByRole("region", { name: "Sandbox FE" });
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("Paused", { exact: true }).waitFor();
    await card.getByRole("button", { name: "Resume" }).click();
    await card.getByText("Active", { exact: true }).waitFor();
  });

  test("narrow, and in German", async () => {
    await narrow(() =>
      inspect(
        "stores-narrow-german",
        "/stores",
        (pages) => pages.getByText("Neueste Bestellungen").waitFor(),
        { locale: "de" },
      ),
    );
  });
});

describe("connecting an account", () => {
  const fill = async (values: Record<string, string>) => {
    for (const [label, value] of Object.entries(values)) {
      await frame().getByLabel(label, { exact: true }).fill(value);
    }
  };

  test("what is wrong is said at the field; then it is connected", async () => {
    await fetch(`${inject("sandbox")}/_sandbox/accounts`, {
      method: "POST",
      body: JSON.stringify({
        region: "EU",
        seller_id: "A1SECOND",
        refresh_token: "Atzr|second",
      }),
    });
    await inspect("connect", "/connect", (pages) =>
      pages.getByLabel("Seller ID").waitFor(),
    );
    await frame().getByRole("button", { name: "Use another address" }).click();
    const sandbox = inject("sandbox");
    await fill({
      Name: "Second store",
      "Seller ID": "A1SECOND",
      "Client ID": "amzn1.application-oa2-client.sandbox",
      "Client secret": "sandbox-secret",
      "Refresh token": "Atzr|wrong",
      "Address of the API": sandbox,
      "Address for access tokens": `${sandbox}/auth/o2/token`,
    });
    const submit = frame().getByRole("button", { name: "Connect account" });
    await submit.click();
    await frame().getByText("Amazon does not accept the refresh token").waitFor();
    await expectAccessible();
    await shoot("connect-refused");

    await fill({ "Refresh token": "Atzr|second" });
    await submit.click();
    await frame().getByRole("heading", { name: "Second store" }).waitFor();
    await page.getByText("The account is connected").waitFor();
    expect(dashboardPath()).toBe("app:/stores");
  });
});

describe("settings of a marketplace", () => {
  test("B1–B5: saved, still there after a reload, and greyed out without import", async () => {
    const at = `/marketplaces/${encodeURIComponent(await marketplace("France"))}`;
    await inspect("marketplace", at, (pages) => pages.getByLabel("Carrier code").waitFor());
    const pages = frame();
    await choose("Customer creation", "New customer account");
    await choose("Order number source", "Amazon's number");
    await choose("Status of imported orders", "Unconfirmed");
    await pages.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();

    await page.reload();
    const number = frame().getByLabel("Order number source");
    await expect.poll(() => number.inputValue()).toBe("AMAZON");
    await frame().getByRole("checkbox", { name: "Import Amazon orders" }).click();
    await frame().getByText("Orders are only shown here").waitFor();
    await shoot("marketplace-import-off");
    await expectAccessible();
    expect(await number.isDisabled()).toBe(true);
  });

  test("B2: a marketplace gets its channel, and what is wrong is said at the field", async () => {
    const id = await marketplace("Spain");
    await open(`/marketplaces/${encodeURIComponent(id)}`);
    await choose("Import into channel", "amazon-eur");
    await frame().getByLabel("Keep buyer data for days").fill("31");
    await frame().getByRole("button", { name: "Save" }).click();
    await frame().getByText(/30/).last().waitFor();
    await frame().getByLabel("Keep buyer data for days").fill("20");
    await frame().getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();
    expect(await settingsOf(id)).toMatchObject({
      channelSlug: "amazon-eur",
      isMapped: true,
      buyerDataRetentionDays: 20,
    });
  });

  test("stock and invoices are set, and are still there after a reload", async () => {
    const id = await marketplace("Germany");
    const at = `/marketplaces/${encodeURIComponent(id)}`;
    const pages = await open(at);
    await pages.getByRole("checkbox", { name: "Tell Amazon how many there are" }).check();
    await pages.getByLabel("Units held back").fill("2");
    await pages.getByLabel("None with fewer than").fill("1");
    await choose("How invoices reach the buyers", "They stay in the shop");
    await pages.getByLabel("Invoice numbers begin with").fill("SHOP-DE-");
    await pages.getByLabel("Issuer").fill("Mugs and more\nHauptstr. 1\n10115 Berlin");
    await pages.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();
    for (const theme of ["light", "dark"]) {
      await open(at, { theme });
      await expect
        .poll(() => pages.getByLabel("Invoice numbers begin with").inputValue())
        .toBe("SHOP-DE-");
      await pages.getByLabel("Issuer").scrollIntoViewIfNeeded();
      await expectAccessible();
      await shoot(`marketplace-stock-${theme}`);
    }
    expect(await pages.getByLabel("Units held back").inputValue()).toBe("2");
    expect(await pages.getByLabel("Issuer").inputValue()).toContain("10115 Berlin");
  });

  test("a currency without a channel says what to do", async () => {
    const at = `/marketplaces/${encodeURIComponent(await marketplace("Sweden"))}`;
    await inspect("marketplace-no-channel", at, (pages) =>
      pages.getByText("No channel of the shop has the currency SEK").waitFor(),
    );
  });
});

const choose = (label: string, option: string) =>
  frame().getByLabel(label).selectOption({ label: option });

interface Settings {
  id: string;
  name: string;
  channelSlug: string | null;
  isMapped: boolean;
  buyerDataRetentionDays: number;
}

async function allSettings(): Promise<Settings[]> {
  const data = await ask<{ amazonAccounts: { name: string; marketplaces: Settings[] }[] }>(
    `{ amazonAccounts { name marketplaces {
      id name channelSlug isMapped buyerDataRetentionDays } } }`,
  );
  return data.amazonAccounts
    .filter(({ name }) => name.startsWith("Sandbox"))
    .flatMap(({ marketplaces }) => marketplaces);
}

const marketplace = async (name: string) =>
  (await allSettings()).find((each) => each.name === name)?.id ?? "";

const settingsOf = async (id: string) =>
  (await allSettings()).find((each) => each.id === id);
