import { runAction } from "../../shared/src/action-runtime/action.ts";
import { integrationTest } from "./integration-test-action.ts";

await runAction(integrationTest);
