import { runAction } from "../../shared/src/action-runtime/action.ts";
import { buildScan } from "./build-scan-action.ts";

await runAction(buildScan);
