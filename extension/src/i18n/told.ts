/** What the server tells in English, in the user's language as far as it has codes. */
import { useIntl } from "react-intl";
import { type MessageId, useText } from ".";
import en from "./en.json";

interface Money {
  amount: number;
  currency: string;
}

export interface Told {
  code: string;
  subject?: string | null;
  message: string;
  calculated?: Money | null;
  stated?: Money | null;
  difference?: Money | null;
}

/** Of several texts the most exact one that there is. */
const first = (...ids: string[]) => ids.find((id): id is MessageId => id in en);

export function useTold() {
  const { t, of, money } = useText();
  const isEnglish = useIntl().messages === en;
  return {
    /** What keeps an order out of the shop, and what to do; the server's own words for a
     * code that has no text here. */
    blocker: ({ code, subject, message, ...amounts }: Told) => {
      const { calculated, stated, difference } = amounts;
      const id = first(
        ...(calculated && stated ? [`blockerText.${code}.sums`] : []),
        ...(subject
          ? [`blockerText.${code}.${subject}`, `blockerText.${code}.subject`]
          : []),
        `blockerText.${code}`,
      );
      if (!id) return message;
      return t(id, {
        subject: of("subject", subject ?? ""),
        calculated: money(calculated),
        stated: money(stated),
        difference: money(difference),
      });
    },
    /** A title for an entry of the timeline; none for a type that has no text here. */
    event: (type: string) => {
      const id = first(`event.${type}`);
      if (id) return t(id);
      // What became of what Amazon was told: the kind, and its state.
      const [, kind, state] =
        /^(\w+)_(succeeded|failed|unknown|superseded|retried)$/.exec(type) ?? [];
      if (!kind || !state) return "";
      const [what, became] = [kind.toUpperCase(), state.toUpperCase()];
      return first(`kind.${what}`) ? `${of("kind", what)}: ${of("outbox", became)}` : "";
    },
    /** Why something was not told to Amazon, in short; nothing for Amazon's own codes. */
    problem: (code?: string | null) => {
      const id = first(`outboxError.${code ?? ""}`);
      return id ? t(id) : "";
    },
    /** Why something that was asked for is refused: the kind of reason, where the
     * server's own words are in another language, and these. */
    refusal: (error?: { code: string; message?: string | null }) => {
      if (!error || (isEnglish && error.message)) return error?.message;
      return [of("error", error.code), error.message && `(${error.message})`]
        .filter(Boolean)
        .join(" ");
    },
  };
}
