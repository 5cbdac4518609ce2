import { writeFileSync } from "node:fs";
import { errorReference } from "./src/error-reference.ts";

writeFileSync(new URL("../../docs/errors.md", import.meta.url), errorReference());
