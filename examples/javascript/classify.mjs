// node classify.mjs BUNDLE PHOTO...: a line of JSON a photo, with the probability of every label, the likeliest first.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import sharp from "sharp";

const [folder, ...photos] = process.argv.slice(2);
const { labels, preprocessing, session_options } = JSON.parse(await readFile(`${folder}/bundle.json`, "utf8"));
const session = await ort.InferenceSession.create(await readFile(`${folder}/model.onnx`), { extra: session_options });

async function prepare(photo, { size, fit }) {
  const { data, info } = await sharp(photo, { ignoreIcc: true }) // upright, over white, three channels of eight bits
    .autoOrient().flatten({ background: "white" }).toColourspace("srgb")
    .resize(size, size, { fit: { pad: "inside", squash: "fill", crop: "cover" }[fit], kernel: "linear" })
    .raw().toBuffer({ resolveWithObject: true });
  const [left, top] = [(size - info.width) >> 1, (size - info.height) >> 1];
  const margins = { left, top, right: size - info.width - left, bottom: size - info.height - top };
  return sharp(data, { raw: info }).extend({ ...margins, extendWith: "copy" }).raw().toBuffer();
}

for (const path of photos) {
  const { size } = preprocessing;
  const image = new ort.Tensor("uint8", await prepare(path, preprocessing), [1, size, size, 3]);
  const { probabilities } = await session.run({ image }, ["probabilities"]);
  const top = labels.map((label, i) => ({ label, confidence: probabilities.data[i] }));
  top.sort((a, b) => b.confidence - a.confidence);
  console.log(JSON.stringify({ path, label: top[0].label, confidence: top[0].confidence, top }));
}
