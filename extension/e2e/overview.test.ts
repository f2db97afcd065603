import { describe, expect, test } from "vitest";
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

const card = (name: string) => frame().getByRole("region", { name, exact: true });

describe("the store dashboard", () => {
  test("C2: sales, what is to be shipped, recent orders, budgets, Seller Central", async () => {
    await inspect("overview", "/overview", async (pages) => {
      await pages.getByRole("heading", { name: "Sales in EUR" }).waitFor();
      await pages.getByText("What runs when").first().waitFor({ state: "attached" });
    });
    await shootWhole("overview-whole");
    const { period, lifetime } = await sales("EUR", 30);
    const euros = (amount: number) =>
      new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).format(amount);
    // Each by its name: where all orders are of this month, both say the same.
    const fact = (name: string) =>
      card("Sales in EUR")
        .locator("dt", { hasText: name })
        .locator("xpath=following-sibling::dd[1]");
    await expect
      .poll(() => fact("Last 30 days").textContent())
      .toBe(`${euros(period.total.amount)} · ${period.orderCount} orders`);
    expect(await fact("In all").textContent()).toBe(
      `${euros(lifetime.total.amount)} · ${lifetime.orderCount} orders`,
    );
    expect(await card("Recent orders").locator("tbody tr").count()).toBe(10);
    await frame().getByText("searchOrders").first().waitFor();
    const germany = frame().getByRole("link", { name: "Germany" }).first();
    expect(await germany.getAttribute("href")).toBe("https://sellercentral.amazon.de");
  });

  test("C2: 7 days and 30, the chart's numbers as a table", async () => {
    const pages = await open("/overview");
    await pages.getByRole("heading", { name: "Sales in EUR" }).waitFor();
    await expect.poll(() => card("Sales in EUR").locator("rect").count()).toBe(30);
    await pages.getByLabel("Period").selectOption("7");
    await expect.poll(() => card("Sales in EUR").locator("rect").count()).toBe(7);
    await expect.poll(dashboardPath).toBe("app:/overview?days=7");
    await card("Sales in EUR").getByText("Show as table").click();
    expect(await card("Sales in EUR").locator("tbody tr").count()).toBe(7);
    await expectAccessible();
    await shoot("overview-table");
  });

  test("C2: of one store", async () => {
    await open("/stores");
    await frame().getByRole("button", { name: "Overview of Sandbox FE" }).click();
    await frame().getByRole("heading", { name: "Sandbox FE", exact: true }).waitFor();
    await frame().getByRole("heading", { name: "Sales in JPY" }).waitFor();
    expect(await frame().getByRole("heading", { name: "Sales in EUR" }).count()).toBe(0);
    await expect.poll(dashboardPath).toMatch(/^app:\/overview\?account=/);
    await page.reload();
    await frame().getByRole("heading", { name: "Sales in JPY" }).waitFor();
  });

  test("ship-by deadlines, the first first", async () => {
    await open("/overview");
    await card("To ship").getByRole("link", { name: "All to be shipped" }).click();
    await frame().getByRole("heading", { name: "Amazon orders" }).waitFor();
    await frame()
      .getByRole("columnheader", { name: "Ship by" })
      .and(frame().locator("[aria-sort=ascending]"))
      .waitFor();
  });

  test("what Amazon has is compared with what is here, when asked for", async () => {
    await open("/overview");
    const comparison = card("Sandbox FE compared with Amazon");
    await comparison.getByText("Not compared yet.").waitFor();
    await comparison.getByLabel("Changed on Amazon").selectOption("Last 10 days");
    await comparison.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("The comparison has begun.").waitFor();
    await comparison.getByText(/All as it should be|Something was found/).waitFor({
      timeout: 50_000,
    });
    await comparison.scrollIntoViewIfNeeded();
    await expectAccessible();
    await shoot("overview-compared");
  });

  test("without the permission for settings there is no machinery", async () => {
    const pages = await open("/overview", { as: "order_staff" });
    await pages.getByRole("heading", { name: "Sales in EUR" }).waitFor();
    expect(await pages.getByRole("heading", { name: "Seller Central" }).count()).toBe(0);
  });

  test("narrow, and in German and Swedish", async () => {
    for (const [locale, text] of [
      ["de", "Zu versenden"],
      ["sv", "Att skicka"],
    ] as const) {
      await narrow(() =>
        inspect(
          `overview-narrow-${locale}`,
          "/overview",
          (pages) => pages.getByRole("heading", { name: text }).waitFor(),
          { locale },
        ),
      );
    }
  });
});

/** The page to its end, in one picture. */
async function shootWhole(name: string) {
  await page.setViewportSize({ width: 1400, height: 3000 });
  await open("/overview");
  await card("Sales in EUR").waitFor();
  await frame().getByText("searchOrders").first().waitFor();
  await shoot(name);
  await page.setViewportSize({ width: 1400, height: 900 });
}

interface Sums {
  total: { amount: number };
  orderCount: number;
}

async function sales(currency: string, days: number) {
  const data = await ask<{
    amazonSalesSummary: {
      currencies: { currency: string; period: Sums; lifetime: Sums }[];
    };
  }>(
    `query ($days: Int) { amazonSalesSummary(days: $days) { currencies { currency
      period { orderCount total { amount } } lifetime { orderCount total { amount } } } } }`,
    { days },
  );
  const found = data.amazonSalesSummary.currencies.find(
    (each) => each.currency === currency,
  );
  if (!found) throw new Error(`Nothing was sold in ${currency}.`);
  return found;
}
