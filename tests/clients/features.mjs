// The kinds of clients. run(checks, start, program): `start` gives a server that is stopped afterwards.
import { sdkV1 } from "./features/sdk_v1.mjs";

export const features = [
  { name: "sdk-v1", run: sdkV1 },
];
