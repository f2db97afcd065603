import { useQuery } from "urql";
import { AccountNamesDocument } from "../api/generated/graphql";
import { useMay } from "../dashboard/bridge";

/** The seller accounts: only who may set them up knows them by name. */
export function useAccounts() {
  const maySetUp = useMay("MANAGE_PLUGINS");
  const [{ data }] = useQuery({
    query: AccountNamesDocument,
    pause: !maySetUp,
    requestPolicy: "cache-first",
  });
  return data?.amazonAccounts ?? [];
}
