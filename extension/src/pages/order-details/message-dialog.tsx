import { Button, Text } from "@saleor/macaw-ui";
import { useEffect, useState } from "react";
import { useMutation } from "urql";
import {
  type AmazonMessageAction,
  MessagingOfferDocument,
  RequestReviewDocument,
  SendMessageDocument,
} from "../../api/generated/graphql";
import { byField, css, FormError, Loading } from "../../components";
import { Dialog } from "../../components/dialog";
import { FileField, SelectField, TextAreaField, TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import type { Order } from "./order-details";

interface Props {
  order: Order;
  onClose: () => void;
  onDone: () => void;
}

const FIELDS = ["text", "attachments", "coverageStartDate", "coverageEndDate"];

/** Writes to the buyer through Amazon, in the ways that Amazon offers at this moment. */
export function MessageDialog({ order, onClose, onDone }: Props) {
  const { t, of, number, language } = useText();
  const [fetched, fetchOffer] = useMutation(MessagingOfferDocument);
  const [chosen, setChosen] = useState<AmazonMessageAction>();
  const [text, setText] = useState("");
  const [files, setFiles] = useState<File[]>([]);
  const [coverage, setCoverage] = useState({ from: "", to: "" });
  const [sent, send] = useMutation(SendMessageDocument);
  const [asked, ask] = useMutation(RequestReviewDocument);
  useEffect(() => {
    void fetchOffer({ id: order.id });
  }, [fetchOffer, order.id]);
  const answer = fetched.data?.amazonMessagingOfferFetch;
  const offer = answer?.offer;
  const form =
    offer?.messages.find(({ action }) => action === chosen) ?? offer?.messages[0];
  const errors = byField(sent.data?.amazonBuyerMessageSend?.errors ?? [], FIELDS);
  const problem =
    fetched.error?.message ??
    answer?.errors[0]?.message ??
    sent.error?.message ??
    errors[""] ??
    asked.error?.message ??
    asked.data?.amazonReviewRequest?.errors[0]?.message;
  const day = (value: string) => (value ? new Date(value).toISOString() : undefined);

  const onSubmit = async () => {
    if (!form) return;
    const result = await send({
      id: order.id,
      input: {
        action: form.action,
        ...(form.maxTextLength && { text }),
        ...(form.takesAttachments && files.length > 0 && { attachments: files }),
        ...(form.action === "WARRANTY" && {
          coverageStartDate: day(coverage.from),
          coverageEndDate: day(coverage.to),
        }),
      },
    });
    if (result.error || result.data?.amazonBuyerMessageSend?.errors.length) return;
    void notify("success", t("message.queued"));
    onDone();
  };
  const onReview = async () => {
    const result = await ask({ id: order.id });
    if (result.error || result.data?.amazonReviewRequest?.errors.length) return;
    void notify("success", t("message.reviewQueued"));
    onDone();
  };
  return (
    <Dialog
      title={t("message.title")}
      action={form && t("message.send")}
      isBusy={sent.fetching || asked.fetching}
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <FormError text={problem ?? undefined} />
      {!offer && !problem && <Loading rows={4} />}
      {form && (
        <>
          <SelectField
            label={t("message.kind")}
            value={form.action}
            options={(offer?.messages ?? []).map(({ action: value }) => ({
              value,
              label: of("message", value),
            }))}
            onChange={setChosen}
          />
          {form.maxTextLength && (
            <TextAreaField
              label={t("message.text")}
              value={text}
              rows={6}
              required
              maxLength={form.maxTextLength}
              onChange={setText}
              error={errors.text}
              help={[
                offer?.buyerLocale &&
                  t("message.language", { language: language(offer.buyerLocale) }),
                t("message.rules"),
                t("message.left", { count: number(form.maxTextLength - text.length) }),
              ]
                .filter(Boolean)
                .join(" ")}
            />
          )}
          {form.action === "WARRANTY" && (
            <div className={css.pair}>
              <TextField
                label={t("message.coverageFrom")}
                type="date"
                value={coverage.from}
                onChange={(from) => setCoverage({ ...coverage, from })}
                error={errors.coverageStartDate}
              />
              <TextField
                label={t("message.coverageTo")}
                type="date"
                value={coverage.to}
                onChange={(to) => setCoverage({ ...coverage, to })}
                error={errors.coverageEndDate}
              />
            </div>
          )}
          {form.takesAttachments && (
            <FileField
              label={t("message.files")}
              required={form.needsAttachment}
              onChange={setFiles}
              error={errors.attachments}
              help={t("message.filesHelp")}
            />
          )}
        </>
      )}
      {offer && !form && (
        <Text as="p" size={3}>
          {t("message.none")}
        </Text>
      )}
      {offer?.isReviewRequestOffered && (
        <div className={css.list}>
          <Text as="p" size={3} className={css.muted}>
            {t("message.reviewHelp")}
          </Text>
          <div>
            <Button
              type="button"
              variant="secondary"
              size="small"
              disabled={asked.fetching}
              onClick={onReview}
            >
              {t("message.review")}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}
