// The kinds of clients. run(checks, start, program): `start` gives a server that is stopped afterwards.
import { clientV2 } from "./features/client_v2.mjs";
import { sdkV1 } from "./features/sdk_v1.mjs";

export const features = [
  { name: "sdk-v1", run: sdkV1 },
  { name: "client-v2-auto", run: clientV2("auto") },
  { name: "client-v2-modern", run: clientV2({ pin: "2026-07-28" }) },
];
