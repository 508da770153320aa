import { runAction } from "../../shared/src/action-runtime/action.ts";
import { download } from "./download-action.ts";

await runAction(download);
