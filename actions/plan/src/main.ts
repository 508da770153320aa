import { runAction } from "../../shared/src/action-runtime/action.ts";
import { plan } from "./plan-action.ts";

await runAction(plan);
