// Where pictures come from: chosen, dropped (folders too), pasted, photographed.

/** Have `take(files)` called with the pictures of every source, and `complain(error)` where some can't be had. */
export function listen(take, complain) {
  const byId = (id) => document.getElementById(id);
  for (const input of [byId("files"), byId("shot")]) {
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = "";
    });
  }
  byId("choose").addEventListener("click", () => byId("files").click());
  byId("photograph").addEventListener("click", () => photograph(byId("shot"), take));
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files);
  });
  listenToDrops(byId("veil"), take, complain);
}

function listenToDrops(veil, take, complain) {
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const cover = (change) => {
    depth = Math.max(0, change(depth));
    veil.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => carriesFiles(event) && cover((now) => now + 1));
  document.addEventListener("dragleave", (event) => carriesFiles(event) && cover((now) => now - 1));
  document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    cover(() => 0);
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    const plain = [...event.dataTransfer.files];
    if (!entries.some((entry) => entry?.isDirectory)) return take(plain);
    const found = (await Promise.all(entries.map((entry) => filesBelow(entry, complain)))).flat();
    if (found.length) take(found);
    else complain(new Error("There are no pictures in it."));
  });
}

async function filesBelow(entry, complain) {
  if (!entry) return [];
  try {
    return entry.isFile ? await fileOf(entry) : await filesIn(entry.createReader(), complain);
  } catch (error) {
    complain(new Error(`${entry.fullPath}: it can't be read (${error.message})`));
    return [];
  }
}

async function fileOf(entry) {
  // What can't be read is refused by name, as `clothing predict` does; what a Mac keeps beside files is no picture.
  if (!/\.(jpe?g|jpe|jfif|png|webp|gif|bmp|tiff?|heic|heif|avif|jxl|jp2)$/i.test(entry.name)) return [];
  if (/\/(\._|__MACOSX\/)/.test(entry.fullPath)) return [];
  const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
  return [Object.assign(file, { path: entry.fullPath.slice(1) })];
}

async function filesIn(reader, complain) {
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found.flat();
    found.push(...(await Promise.all(some.map((entry) => filesBelow(entry, complain)))));
  }
}

/** A phone's own camera app where there is one, else this device's camera in a dialog. */
async function photograph(input, take) {
  if (matchMedia("(pointer: coarse)").matches || !navigator.mediaDevices?.getUserMedia) return input.click();
  const dialog = document.getElementById("camera"), video = dialog.querySelector("video");
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
  } catch {
    return input.click();
  }
  document.getElementById("snap").onclick = () => snap(video, take);
  document.getElementById("stop").onclick = () => dialog.close();
  dialog.onclose = () => video.srcObject.getTracks().forEach((track) => track.stop());
  dialog.showModal();
}

function snap(video, take) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  const name = `photo-${new Date().toISOString().slice(11, 19).replaceAll(":", "-")}.jpg`;
  canvas.toBlob((blob) => take([new File([blob], name, { type: "image/jpeg" })]), "image/jpeg", 0.92);
}
