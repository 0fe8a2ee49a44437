// The customer's script, and the ways Node can run it. Each mode answers a function
// that takes the request payload and returns what execute() returned.
import ivm from 'isolated-vm';
import vm from 'node:vm';

export const SCRIPT = `
function execute(requestPayload) {
  var userId = "userId_" + Date.now();
  return {
    status: 2000,
    user: {
      id: userId,
      amr: ["mfa", "pwd"],
      firstName: "John",
      lastName: "Doe",
      email: "john.doe@example.com"
    }
  };
}`;
const limits = { memoryLimit: 16 };
const call = { arguments: { copy: true }, result: { copy: true }, timeout: 1000 };

function runIn(isolate, script, payload) {
  const context = isolate.createContextSync();
  script.runSync(context, { timeout: 1000 });
  const out = context.global.getSync('execute', { reference: true }).applySync(undefined, [payload], call);
  context.release();
  return out;
}

export const engines = {
  // a heap of its own for each request: what a fork or a new duktape heap gives
  'ivm-isolate': () => (payload) => {
    const isolate = new ivm.Isolate(limits);
    try { return runIn(isolate, isolate.compileScriptSync(SCRIPT), payload); } finally { isolate.dispose(); }
  },
  // the same from a V8 start-up snapshot that already holds execute()
  'ivm-snapshot': () => {
    const snapshot = ivm.Isolate.createSnapshot([{ code: SCRIPT }]);
    return (payload) => {
      const isolate = new ivm.Isolate({ ...limits, snapshot });
      try {
        const context = isolate.createContextSync();
        return context.global.getSync('execute', { reference: true }).applySync(undefined, [payload], call);
      } finally { isolate.dispose(); }
    };
  },
  // one isolate, a new context (new globals) for each request, compiled once
  'ivm-context': () => {
    const isolate = new ivm.Isolate({ memoryLimit: 128 });
    const script = isolate.compileScriptSync(SCRIPT);
    return (payload) => runIn(isolate, script, payload);
  },
  // one isolate and one context: globals leak from one request to the next
  'ivm-reuse': () => {
    const isolate = new ivm.Isolate({ memoryLimit: 128 });
    const context = isolate.createContextSync();
    isolate.compileScriptSync(SCRIPT).runSync(context);
    const execute = context.global.getSync('execute', { reference: true });
    return (payload) => execute.applySync(undefined, [payload], call);
  },
  // node:vm, a new context for each request (no security boundary, says Node's own manual)
  'vm-context': () => {
    const script = new vm.Script(SCRIPT);
    return (payload) => {
      const context = vm.createContext({ payload: JSON.stringify(payload) });
      script.runInContext(context, { timeout: 1000 });
      return JSON.parse(vm.runInContext('JSON.stringify(execute(JSON.parse(payload)))', context, { timeout: 1000 }));
    };
  },
  // no sandbox at all: what Node's HTTP and JSON alone cost
  'none': () => (new Function(SCRIPT + '; return execute'))(),
};
