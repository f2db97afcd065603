/** Starts the demo: sandbox, shop, worker and pages, with a month of orders in it. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    pages: string;
    sandbox: string;
    /** Where Saleor Dashboard is, and who may log in; empty without it. */
    dashboard: string;
    email: string;
    password: string;
  }
}

const READY_MS = 480_000;

export default async function setup(project: TestProject) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const [program = "", ...options] = (process.env.DEMO ?? "").split(/\s+/);
  if (!program)
    throw new Error("Run it by `make test-browser` or `make test-browser-saleor`.");
  const demo = spawn(program, [...options, process.env.EMPTY ? "--empty" : "--serve"], {
    cwd: root,
    // The shop's own AWS identity, as an operator gives it; the tests play SQS.
    env: {
      AWS_ACCESS_KEY_ID: "shop",
      AWS_SECRET_ACCESS_KEY: "shop-secret",
      ...process.env,
      PYTHONUNBUFFERED: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const ended = new Promise<void>((resolve) => demo.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The demo is not ready.\n${said}`)),
      READY_MS,
    );
    const hear = (chunk: Buffer) => {
      said += chunk;
      if (!said.includes("Press Ctrl-C")) return;
      clearTimeout(timer);
      resolve();
    };
    demo.stdout.on("data", hear);
    demo.stderr.on("data", hear);
    void ended.then(() => reject(new Error(`The demo ended.\n${said}`)));
  });
  project.provide("pages", /The pages: (\S+)\//.exec(said)?.[1] ?? "");
  project.provide("sandbox", /The sandbox: (\S+)/.exec(said)?.[1] ?? "");
  const [, dashboard = "", email = "", password = ""] =
    /Saleor Dashboard: (\S+) \((\S+), (\S+)\)/.exec(said) ?? [];
  project.provide("dashboard", dashboard);
  project.provide("email", email);
  project.provide("password", password);
  return async () => {
    demo.kill("SIGTERM");
    await ended;
  };
}
