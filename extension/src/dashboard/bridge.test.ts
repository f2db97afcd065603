import { beforeAll, beforeEach, expect, test, vi } from "vitest";

const DASHBOARD = "https://dashboard.example";

/** The SDK reads tokens and does not check them. */
const tokenFor = (permissions: string[]) => {
  const part = (value: object) => btoa(JSON.stringify(value)).replace(/=+$/, "");
  return `${part({ alg: "none" })}.${part({
    email: "staff@shop.example",
    permissions,
    user_permissions: permissions,
    iat: 1,
    exp: 4102444800,
  })}.x`;
};

const say = (type: string, payload: object, origin = DASHBOARD) =>
  window.dispatchEvent(new MessageEvent("message", { origin, data: { type, payload } }));

let bridge: typeof import("./bridge");
const sent = vi.fn();

beforeAll(async () => {
  history.replaceState(
    null,
    "",
    "/dashboard/orders?theme=dark&id=QXBwOjE%3D&saleorApiUrl=x",
  );
  Object.defineProperty(document, "referrer", { configurable: true, get: () => "" });
  Object.defineProperty(location, "ancestorOrigins", { value: [DASHBOARD] });
  Object.defineProperty(window, "parent", { value: { postMessage: sent } });
  bridge = await import("./bridge");
});

beforeEach(() => sent.mockClear());

test("starts in the theme of the address, and knows the Dashboard without a referrer", () => {
  expect(document.referrer).toBe(`${DASHBOARD}/`);
  expect(bridge.bridge.getState()).toMatchObject({ theme: "dark", ready: false });
  say("handshake", { token: tokenFor([]), version: 1 }, "https://evil.example");
  expect(bridge.bridge.getState().ready).toBe(false);
});

test("takes handshake, language, theme and new tokens", () => {
  say("handshake", { token: tokenFor(["MANAGE_ORDERS"]), version: 1 });
  say("localeChanged", { locale: "sv" });
  say("theme", { theme: "light" });
  const state = bridge.bridge.getState();
  expect(state).toMatchObject({ ready: true, locale: "sv", theme: "light" });
  expect(state.user?.permissions).toEqual(["MANAGE_ORDERS"]);

  const later = tokenFor(["MANAGE_ORDERS", "MANAGE_PLUGINS"]);
  say("tokenRefresh", { token: later });
  expect(bridge.bridge.getState().token).toBe(later);
});

test("a new token is asked for, and waited for", async () => {
  const renewed = bridge.renewToken();
  expect(sent.mock.calls[0]?.[0]).toMatchObject({ type: "notifyReady" });
  say("handshake", { token: tokenFor([]), version: 1 });
  await renewed;
  expect(bridge.bridge.getState().token).toBe(tokenFor([]));
});

test("an action that the Dashboard refuses is no exception", async () => {
  const action = { type: "popupClose", payload: { actionId: "1" } } as const;
  const result = bridge.dispatch(action);
  say("response", { actionId: "1", ok: false });
  expect(await result).toBe(false);
});
