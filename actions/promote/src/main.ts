import { runAction } from "../../shared/src/action-runtime/action.ts";
import { promote } from "./promote-action.ts";

await runAction(promote);
