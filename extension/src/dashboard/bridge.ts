/**
 * The one bridge to the Dashboard, and what it knows, as React state.
 *
 * The SDK takes the Dashboard's origin from `document.referrer`, which is empty or our
 * own address under strict referrer policies, after a reload and after going back; and
 * its hook can miss the handshake, which comes at once. Who may frame us at all is said
 * by the server's `frame-ancestors`, so the parent is to be trusted.
 */
import { type Actions, AppBridge } from "@saleor/app-sdk/app-bridge";
import { useSyncExternalStore } from "react";

const parent = location.ancestorOrigins?.[0];
if (parent) {
  Object.defineProperty(document, "referrer", {
    configurable: true,
    get: () => `${parent}/`,
  });
}

const params = new URLSearchParams(location.search);

export const bridge = new AppBridge({
  autoNotifyReady: false,
  initialTheme: params.get("theme") === "dark" ? "dark" : "light",
});

const EVENTS = ["handshake", "tokenRefresh", "theme", "localeChanged", "redirect"] as const;

const subscribe = (wake: () => void) => {
  const stops = EVENTS.map((event) => bridge.subscribe(event, wake));
  return () => {
    for (const stop of stops) stop();
  };
};

export const useBridge = () => useSyncExternalStore(subscribe, () => bridge.getState());

/** Ask the Dashboard for the token it holds now; resolves when it came, or after 3 s. */
export function renewToken(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, 3000);
    const stop = bridge.subscribe("handshake", finish);
    function finish() {
      clearTimeout(timer);
      stop();
      resolve();
    }
    bridge.sendNotifyReadyAction();
  });
}

/** Whether the Dashboard did it. Older ones leave actions they do not know unanswered. */
export const dispatch = (action: Actions): Promise<boolean> =>
  bridge.dispatch(action).then(
    () => true,
    () => false,
  );

export type Permission = "MANAGE_ORDERS" | "MANAGE_PLUGINS";

/** Whether to show something; the server decides. */
export const useMay = (permission: Permission) =>
  useBridge().user?.permissions.includes(permission) ?? false;
