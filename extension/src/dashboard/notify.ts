import { actions } from "@saleor/app-sdk/app-bridge";
import { dispatch } from "./bridge";

/** A toast of the Dashboard: what came of what the user did. The page says it as well. */
export const notify = (status: "success" | "error", title: string, text?: string) =>
  dispatch(actions.Notification({ status, title, text }));
