import { runAction } from "../../shared/src/action-runtime/action.ts";
import { train } from "./train-action.ts";

await runAction(train);
