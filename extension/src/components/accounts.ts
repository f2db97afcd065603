import { useQuery } from "urql";
import { AccountNamesDocument } from "../api/generated/graphql";
import { useMay } from "../dashboard/bridge";

/** The seller accounts: only who may set them up knows them by name. */
export function useAccountNames() {
  const maySetUp = useMay("MANAGE_PLUGINS");
  const [answer, refetch] = useQuery({
    query: AccountNamesDocument,
    pause: !maySetUp,
    requestPolicy: "cache-first",
  });
  return {
    accounts: answer.data?.amazonAccounts,
    answer,
    again: () => refetch({ requestPolicy: "network-only" }),
  };
}

export const useAccounts = () => useAccountNames().accounts ?? [];
