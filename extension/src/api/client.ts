import { Client, type CombinedError, cacheExchange, fetchExchange } from "urql";
import { bridge, renewToken } from "../dashboard/bridge";

/** Of the Saleor that serves this page, so that nothing crosses origins. */
const path = document.querySelector<HTMLMetaElement>("meta[name=graphql]")?.content;

const EXPIRED = /"(ExpiredSignatureError|InvalidTokenError)"/;

/** The token is read at each request: the Dashboard renews it every few minutes. */
const send = (input: RequestInfo | URL, init?: RequestInit) =>
  fetch(input, {
    ...init,
    headers: { ...init?.headers, "Authorization-Bearer": bridge.getState().token ?? "" },
  });

async function fetchAsUser(input: RequestInfo | URL, init?: RequestInit) {
  const response = await send(input, init);
  if (!EXPIRED.test(await response.clone().text())) return response;
  await renewToken();
  return send(input, init);
}

export const client = new Client({
  url: new URL(path ?? "graphql/", document.baseURI).href,
  exchanges: [cacheExchange, fetchExchange],
  fetch: fetchAsUser,
  preferGetMethod: false,
  requestPolicy: "cache-and-network",
});

/** The permission that the server missed, if that is what an error is about. */
export function missingPermission(error: CombinedError): string | undefined {
  for (const each of error.graphQLErrors) {
    const found = /following permissions: ([A-Z_, ]+)/.exec(each.message);
    if (found) return found[1];
  }
  return undefined;
}
