import { runAction } from "../../shared/src/action-runtime/action.ts";
import { register } from "./register-action.ts";

await runAction(register);
