/** A browser on the page that plays the Dashboard; what goes wrong in it fails the test. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import {
  type BrowserContext,
  chromium,
  type FrameLocator,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";

const OUTPUT = fileURLToPath(new URL("output/", import.meta.url));
const WIDE = { width: 1400, height: 900 };
const NARROW = { width: 420, height: 900 };

let context: BrowserContext;
export let page: Page;
let problems: string[] = [];

/** What this test expects to go wrong: part of a line of the console. */
let allowed: string[] = [];
export const allow = (...texts: string[]) => {
  allowed = texts;
};

/** `isOurs` says by its address whose fault counts; the others have their own. */
export function useBrowser(isOurs: (url: string) => boolean = () => true) {
  beforeAll(async () => {
    mkdirSync(OUTPUT, { recursive: true });
    context = await chromium.launchPersistentContext("", {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      viewport: WIDE,
      timezoneId: "Europe/Berlin",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    page = context.pages()[0] ?? (await context.newPage());
    page.on("console", (message) => {
      const isBad = message.type() === "error" || message.type() === "warning";
      if (isBad && isOurs(message.location().url)) {
        problems.push(`console: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => {
      if (isOurs(error.stack ?? "")) problems.push(`error: ${error.message}`);
    });
    page.on("requestfailed", (request) => {
      // A page that is left takes its requests with it.
      const why = request.failure()?.errorText;
      if (why !== "net::ERR_ABORTED" && isOurs(request.url()))
        problems.push(`request: ${request.url()} ${why}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400 && isOurs(response.url())) {
        problems.push(`response: ${response.status()} ${response.url()}`);
      }
    });
  });
  afterEach(() => {
    const found = problems.filter((text) => !allowed.some((part) => text.includes(part)));
    problems = [];
    allowed = [];
    expect(found).toEqual([]);
  });
  afterAll(() => context?.close());
}

export type Options = { theme?: string; locale?: string; as?: string } & Record<
  string,
  string
>;

const withOptions = (path: string, options: Options) => {
  const url = new URL(inject("pages") + path);
  for (const [name, value] of Object.entries(options)) url.searchParams.set(name, value);
  return url.href;
};

/** Open one of our pages in the Dashboard. */
export async function open(path: string, options: Options = {}): Promise<FrameLocator> {
  await page.goto(withOptions(`/extensions/app/${await appId()}${path}`, options));
  return frame();
}

/** Open the order page of the Dashboard, with our widget. */
export async function openOrder(id: string, options: Options = {}): Promise<FrameLocator> {
  await page.goto(withOptions(`/orders/${encodeURIComponent(id)}`, options));
  return frame();
}

export const frame = () => page.frameLocator("iframe");

/** Where the Dashboard says we are, below our app or in itself. */
export const dashboardPath = () => {
  const url = new URL(page.url());
  for (const name of ["as", "theme", "locale", "mute", "referrer"])
    url.searchParams.delete(name);
  const path = (url.pathname + url.search).replace("/dashboard-host", "");
  return path.replace(/^\/extensions\/app\/[^/?]+/, "app:");
};

/** No violation of what axe knows in our frame: not through the page around it, since
 * axe leaves out frames that are slow to answer. */
export async function expectAccessible() {
  const inner = page.frames().find((each) => each.parentFrame() === page.mainFrame());
  if (!inner) throw new Error("There is no frame.");
  await inner.evaluate(axe.source);
  const violations = await inner.evaluate(async () => {
    // The order page has its own heading.
    const isWidget = location.pathname.endsWith("/widget");
    const rules = { "page-has-heading-one": { enabled: !isWidget } };
    const run = (window as unknown as { axe: typeof axe }).axe.run;
    const { violations, passes } = await run(document, { rules });
    if (passes.length < 10) return ["axe did not look"];
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`,
    );
  });
  expect(violations).toEqual([]);
}

/** A page in light and dark, checked and photographed; `ready` says when it is there. */
export async function inspect(
  name: string,
  path: string,
  ready: (pages: FrameLocator) => Promise<void>,
  options: Options = {},
) {
  for (const theme of ["light", "dark"]) {
    await ready(await open(path, { ...options, theme }));
    await settle();
    await expectAccessible();
    await shoot(`${name}-${theme}`);
  }
}

/** Nothing is loading any more, fonts included. */
async function settle() {
  await frame().getByLabel("Loading").waitFor({ state: "detached" });
  await frame()
    .locator("html")
    .evaluate(() => document.fonts.ready.then(() => {}));
}

export async function shoot(name: string) {
  await page.screenshot({ path: `${OUTPUT}${name}.png` });
}

export async function narrow(work: () => Promise<void>) {
  await page.setViewportSize(NARROW);
  await work();
  await page.setViewportSize(WIDE);
}

async function hostConfig() {
  const host = await (await fetch(`${inject("pages")}/`)).text();
  return JSON.parse(/id="config">(.*?)<\/script>/.exec(host)?.[1] ?? "{}");
}

let knownAppId = "";
async function appId(): Promise<string> {
  knownAppId ||= encodeURIComponent((await hostConfig()).appId);
  return knownAppId;
}

/** Ask the shop's API as its staff do. */
export async function ask<T>(query: string, variables: object = {}): Promise<T> {
  const config = await hostConfig();
  const response = await fetch(config.api, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${config.tokens.staff}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

export interface AnOrder {
  id: string;
  amazonOrderId: string;
  orderId: string | null;
  orderNumber: string | null;
  fulfilledBy: string;
  fulfillmentStatus: string;
  packages: { trackingNumber: string }[];
  outboxEntries: { kind: string; state: string }[];
}

/** Orders that fit, the newest first. */
export async function orders(filter: object): Promise<AnOrder[]> {
  const data = await ask<{ amazonOrders: { edges: { node: AnOrder }[] } }>(
    `query ($filter: AmazonOrderFilterInput) { amazonOrders(first: 100, filter: $filter) {
      edges { node {
        id amazonOrderId orderId orderNumber fulfilledBy fulfillmentStatus
        packages { trackingNumber } outboxEntries { kind state }
      } } } }`,
    { filter },
  );
  return data.amazonOrders.edges.map(({ node }) => node);
}

/** The first of the orders that fit. */
export async function anOrder(filter: object): Promise<AnOrder> {
  const [order] = await orders(filter);
  if (!order) throw new Error(`No order fits ${JSON.stringify(filter)}.`);
  return order;
}
