import { runAction } from "../../shared/src/action-runtime/action.ts";
import { helmDeploy } from "./helm-deploy-action.ts";

await runAction(helmDeploy);
