/**
 * Pages by address, inside the Dashboard's frame.
 *
 * A change of page replaces the frame's entry and tells the Dashboard, which puts it
 * into its own address: pages can be linked, and survive a reload.
 */
import { actions } from "@saleor/app-sdk/app-bridge";
import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from "react";
import { bridge, dispatch } from "./bridge";

/** The folder of our pages, with its slash; `<base>` says it. */
const root = new URL(".", document.baseURI).pathname;

/** What the Dashboard puts before our path, in 3.22 and later and in 3.21. */
const MOUNT = /\/(?:extensions\/app\/[^/]+|apps\/[^/]+\/app)(?=\/|$|\?)/;

/** Own parameters; everything else in the query is the Dashboard's. */
const OWN = [
  "state",
  "status",
  "q",
  "buyer",
  "by",
  "code",
  "cause",
  "account",
  "marketplace",
  "from",
  "to",
  "shipFrom",
  "shipTo",
  "risk",
  "cancelling",
  "currency",
  "min",
  "max",
  "sort",
  "columns",
  "kind",
  "days",
  "sku",
  "after",
  "before",
  "tab",
  "orderId",
];

const listeners = new Set<() => void>();

export interface Route {
  path: string;
  params: URLSearchParams;
}

/** Our own path and parameters out of an address. */
export function toRoute(pathname: string, search: string, folder = root): Route {
  const below = pathname.startsWith(folder) ? `/${pathname.slice(folder.length)}` : "/";
  const [, own] = below.split(MOUNT);
  const params = new URLSearchParams();
  const given = new URLSearchParams(search);
  for (const name of OWN) {
    const value = given.get(name);
    if (value) params.set(name, value);
  }
  return { path: (own ?? below).replace(/(.)\/$/, "$1") || "/", params };
}

let current = toRoute(location.pathname, location.search);

function set(to: string) {
  const url = new URL(to, location.origin);
  history.replaceState(null, "", root + to.replace(/^\//, ""));
  current = toRoute(root + url.pathname.slice(1), url.search);
  for (const wake of listeners) wake();
}

export const useRoute = (): Route =>
  useSyncExternalStore(
    (wake) => {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
    () => current,
  );

/** Each address that is told to the Dashboard is one more step back. */
const RESTING_MS = 400;
let resting: ReturnType<typeof setTimeout> | undefined;

/** Go to one of our own pages, or change the parameters of the one that is open. */
export function navigate(to: string) {
  const isNewPage =
    toRoute(root + to.replace(/^\//, "").split("?")[0], "").path !== current.path;
  set(to);
  clearTimeout(resting);
  const tell = () => void dispatch(actions.UpdateRouting({ newRoute: to }));
  if (isNewPage) tell();
  else resting = setTimeout(tell, RESTING_MS);
  if (isNewPage) {
    scrollTo(0, 0);
    // A page that changed is said, and read from its beginning.
    requestAnimationFrame(() => document.querySelector<HTMLElement>("h1")?.focus());
  }
}

/** `/orders?state=BLOCKED` out of a path and what of the parameters has a value. */
export function address(path: string, params: Record<string, string | undefined> = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) query.set(name, value);
  return query.size ? `${path}?${query}` : path;
}

bridge.subscribe("redirect", ({ path }) => {
  const url = new URL(path, location.origin);
  const [, own] = url.pathname.split(MOUNT);
  if (own === undefined) return;
  const to = own.replace(/(.)\/$/, "$1") || "/";
  clearTimeout(resting);
  if (to !== current.path) set(to + url.search);
});

/** Open a page of the Dashboard itself, or another site in a new tab. */
export const openInDashboard = (to: string) => dispatch(actions.Redirect({ to }));
export const openElsewhere = (to: string) =>
  dispatch(actions.Redirect({ to, newContext: true }));

export const shopOrderPath = (id: string) => `/orders/${encodeURIComponent(id)}`;
export const ownPage = (path: string) =>
  `/extensions/app/${encodeURIComponent(bridge.getState().id)}${path}`;

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & {
  to: string;
  /** Where the address is: here, in the Dashboard, or elsewhere. */
  in?: "app" | "dashboard" | "elsewhere";
};

/** A real link; a plain click stays in this page, since following it reloads the frame. */
export function Link({ to, in: place = "app", children, ...rest }: LinkProps) {
  const onClick = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if (place === "app") navigate(to);
    else void (place === "dashboard" ? openInDashboard(to) : openElsewhere(to));
  };
  const href = place === "app" ? root + to.replace(/^\//, "") : to;
  return (
    <a {...rest} href={href} onClick={onClick}>
      {children}
    </a>
  );
}
