// The service's API: one request at a time, patient where it is busy, with the token that the user gave.

const TRIES = 30;
const dialog = document.getElementById("token-dialog");
let asking = null;

/** The parsed answer to a request; throws an Error whose message says what to do. */
export async function ask(path, options = {}) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(path, { ...options, headers: authorization() });
    if (response.ok) return response.json();
    if (response.status === 401) await askForToken();
    else if (response.status === 503 && attempt < TRIES) await pause(response, options.signal);
    else throw new Error(await reason(response));
  }
}

async function reason(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `the service answered with status ${response.status}`;
}

function authorization() {
  const token = sessionStorage.getItem("token");
  return token ? { authorization: `Bearer ${token}` } : {};
}

function askForToken() {
  asking ??= new Promise((resolve) => {
    dialog.showModal();
    dialog.addEventListener("close", () => {
      const given = dialog.querySelector("input").value.trim();
      if (/^[!-~]+$/.test(given)) sessionStorage.setItem("token", given); // no header could carry another
      else sessionStorage.removeItem("token");
      asking = null;
      resolve();
    }, { once: true });
  });
  return asking;
}

function pause(response, signal) {
  const seconds = Number(response.headers.get("retry-after")) || 1;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds * (0.5 + Math.random()));
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
