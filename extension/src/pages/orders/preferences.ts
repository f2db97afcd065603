/**
 * Columns and saved views of a user, kept in the metadata of their account in Saleor.
 *
 * Not in the browser: where the Dashboard and Saleor are of different sites, a page in a
 * frame may not touch its storage. So they are also there on the next computer.
 */
import { useMutation, useQuery } from "urql";
import { PreferencesDocument, SavePreferencesDocument } from "../../api/generated/graphql";

const KEY = "amazonChannel.orders";

export interface View {
  name: string;
  /** The address's query: filters, sort and columns. */
  query: string;
}

export interface Preferences {
  columns?: string[];
  views: View[];
}

/** What is no longer readable is as nothing. */
export function read(text: string | null | undefined): Preferences {
  try {
    const { columns, views } = JSON.parse(text ?? "{}");
    return {
      columns: Array.isArray(columns) ? columns.map(String) : undefined,
      views: Array.isArray(views)
        ? views
            .filter((view) => typeof view?.name === "string")
            .map(({ name, query }) => ({ name, query: String(query ?? "") }))
        : [],
    };
  } catch {
    return { views: [] };
  }
}

export function usePreferences() {
  const [{ data, fetching }] = useQuery({
    query: PreferencesDocument,
    variables: { key: KEY },
    requestPolicy: "cache-first",
  });
  const [, save] = useMutation(SavePreferencesDocument);
  const preferences = read(data?.me?.metafield);
  return {
    ...preferences,
    isLoading: fetching && !data,
    /** Answers with what went wrong, if something did. */
    change: async (changes: Partial<Preferences>): Promise<string | undefined> => {
      const value = JSON.stringify({ ...preferences, ...changes });
      const result = await save({ key: KEY, value });
      return (
        result.error?.message ?? result.data?.accountUpdate?.errors[0]?.message ?? undefined
      );
    },
  };
}
