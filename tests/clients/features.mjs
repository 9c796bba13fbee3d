// The kinds of clients. run(checks, start, program): `start` gives a server that is stopped afterwards.
import { appsHost } from "./features/apps_host.mjs";
import { clientV2, clientV2Legacy } from "./features/client_v2.mjs";
import { consent } from "./features/consent.mjs";
import { desktop } from "./features/desktop.mjs";
import { mcpdo } from "./features/mcpdo.mjs";
import { oauth } from "./features/oauth.mjs";
import { sdkV1 } from "./features/sdk_v1.mjs";
import { terminal } from "./features/terminal.mjs";

export const features = [
  { name: "sdk-v1", run: sdkV1 },
  { name: "client-v2-auto", run: clientV2("auto") },
  { name: "client-v2-modern", run: clientV2({ pin: "2026-07-28" }) },
  { name: "client-v2-legacy", run: clientV2Legacy },
  { name: "consent", run: consent },
  { name: "mcpdo", run: mcpdo },
  { name: "apps-host", run: appsHost },
  { name: "desktop", run: desktop },
  { name: "terminal", run: terminal },
  { name: "oauth", run: oauth },
];
