/**
 * Node's module `http`, got without `import`: that reads all that the module exports, WebSocket among it, and so loads
 * Node's whole client for fetch and WebSocket, which takes 14 MB of an idle server and serves nobody.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule("node:http");
